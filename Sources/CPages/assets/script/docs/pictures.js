// Pictures of a reply as elements: files by a blob's address, pixels on a canvas.
import { element } from "../common/elements.js";
import { visible } from "../common/visible-text.js";

const MOST_PIXELS = 40_000_000;
const addresses = new WeakMap();

/// A figure of an encoded picture. What is no picture the browser can show is said in its place.
export function pictureOfFile(bytes, type, caption) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const image = element("img", { src: url, alt: caption });
  const made = figure(image, caption);
  image.addEventListener("load", () => sized(image, image.naturalWidth, image.naturalHeight));
  image.addEventListener("error", () => image.replaceWith(element("p", { class: "notice" }, "The browser cannot show this picture.")));
  addresses.set(made, url);
  return made;
}

/// A figure of RGB samples [height, width, 3].
export function pictureOfPixels(samples, width, height, caption) {
  if (samples.length !== width * height * 3 || width * height > MOST_PIXELS || width * height === 0) {
    return element("p", { class: "notice" }, `${visible(caption)}: ${width} × ${height} pixels are not shown.`);
  }
  const canvas = element("canvas", { width, height, role: "img", "aria-label": visible(caption) });
  const image = new ImageData(width, height);
  for (let at = 0; at < width * height; at += 1) {
    image.data.set(samples.subarray(3 * at, 3 * at + 3), 4 * at);
    image.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  sized(canvas, width, height);
  return figure(canvas, caption);
}

/// Gives the memory of the pictures below an element back.
export function release(place) {
  for (const made of place.querySelectorAll("figure")) {
    if (addresses.has(made)) URL.revokeObjectURL(addresses.get(made));
  }
}

/// Pictures of a few pixels are enlarged, so that there is something to see.
function sized(shown, width, height) {
  if (Math.max(width, height) <= 32) shown.classList.add("tiny");
}

function figure(shown, caption) {
  return element("figure", { class: "picture" }, shown, element("figcaption", {}, visible(caption)));
}

/// Bytes of base64, with or without the head of a data URI. Throws where it is neither.
export function fromBase64(text) {
  return Uint8Array.from(atob(text.replace(/^data:[^,]*,/, "")), (character) => character.charCodeAt(0));
}
