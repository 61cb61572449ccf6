// A picture to try things on: a page with lines of text beside a landscape, drawn here, the same every time.

const WIDTH = 320;
const HEIGHT = 200;

/// The picture as a canvas.
function drawn() {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const ink = canvas.getContext("2d");
  const sky = ink.createLinearGradient(0, 0, 0, 130);
  sky.addColorStop(0, "#3f6fb5");
  sky.addColorStop(1, "#f3c98b");
  ink.fillStyle = sky;
  ink.fillRect(0, 0, WIDTH, HEIGHT);
  ink.fillStyle = "#fff3d0";
  ink.beginPath();
  ink.arc(74, 84, 20, 0, 2 * Math.PI);
  ink.fill();
  hills(ink, "#5a7a6a", 128, 26, 0.021, 0.4);
  hills(ink, "#39564c", 150, 18, 0.033, 2.1);
  hills(ink, "#20352f", 176, 10, 0.05, 4.2);
  paper(ink);
  return canvas;
}

function hills(ink, color, base, height, pace, phase) {
  ink.fillStyle = color;
  ink.beginPath();
  ink.moveTo(0, HEIGHT);
  for (let x = 0; x <= WIDTH; x += 2) ink.lineTo(x, base - height * Math.sin(pace * x + phase));
  ink.lineTo(WIDTH, HEIGHT);
  ink.fill();
}

function paper(ink) {
  ink.fillStyle = "#fbfaf6";
  ink.fillRect(168, 26, 128, 148);
  ink.fillStyle = "#23221f";
  ink.font = "600 15px sans-serif";
  ink.fillText("Region 7", 180, 52);
  ink.font = "11px sans-serif";
  ["Three boats left", "at 06:40. Two came", "back. Depth: 18 m,", "wind NE, 4 knots."].forEach((line, at) =>
    ink.fillText(line, 180, 76 + 17 * at));
  ["#b4482f", "#d99a2b", "#3c7d5e"].forEach((color, at) => {
    ink.fillStyle = color;
    ink.fillRect(180 + 34 * at, 164 - 14 - 9 * at, 24, 14 + 9 * at - 4);
  });
}

/// The picture as a file of a media type, `image/png` or `image/jpeg`.
export function builtInPicture(type = "image/png") {
  const name = type === "image/jpeg" ? "picture.jpg" : "picture.png";
  return new Promise((resolve, reject) => {
    drawn().toBlob((blob) => (blob ? resolve(new File([blob], name, { type })) : reject(new Error("no picture"))), type, 0.95);
  });
}

/// The picture's RGB samples, row by row: `{ width, height, samples }`.
export function builtInPixels() {
  const { data } = drawn().getContext("2d").getImageData(0, 0, WIDTH, HEIGHT);
  const samples = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let at = 0; at < WIDTH * HEIGHT; at += 1) samples.set(data.subarray(4 * at, 4 * at + 3), 3 * at);
  return { width: WIDTH, height: HEIGHT, samples };
}

/// A file's bytes in base64.
export async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
