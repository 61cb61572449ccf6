// The built-in pictures, to try things on: a photograph and a scanned page.
import { address } from "../common/request.js";

const FILES = { "image/jpeg": "photograph.jpg", "image/png": "page.png" };

/// The picture of a media type, `image/png` or `image/jpeg`, as a file. Throws where the server does not answer.
export async function builtInPicture(type = "image/png") {
  const name = FILES[type];
  const response = await fetch(address(`assets/pictures/${name}`));
  if (!response.ok) throw new Error(`${name}: status ${response.status}`);
  return new File([await response.blob()], name, { type });
}

/// The photograph's RGB samples, row by row: `{ width, height, samples }`.
export async function builtInPixels() {
  const bitmap = await createImageBitmap(await builtInPicture("image/jpeg"));
  const { width, height } = bitmap;
  const ink = new OffscreenCanvas(width, height).getContext("2d");
  ink.drawImage(bitmap, 0, 0);
  const { data } = ink.getImageData(0, 0, width, height);
  const samples = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at += 1) samples.set(data.subarray(4 * at, 4 * at + 3), 3 * at);
  return { width, height, samples };
}

/// A file's bytes in base64.
export async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
