// Asking /v1/perturb, and its answer as pictures.
import { sendForJSON } from "../common/request.js";

/// What is shown of a picture is at most this wide and high: more no screen has.
export const MOST_SIDE = 2400;

/// Sends pictures and views. Returns [{ name, steps, width, height, bitmap, blob }], the original first.
/// - picture, second: Blobs; second null where no view needs one.
export async function perturbed(picture, second, views, settings, signal) {
  const request = perturbRequest(second, [{ name: "original", steps: [] }, ...views], settings);
  const form = new FormData();
  form.append("request", new Blob([JSON.stringify(request)], { type: "application/json" }));
  form.append("images", picture, "0");
  if (second) form.append("second", second, "second");
  const reply = await sendForJSON("v1/perturb", {
    method: "POST",
    body: form,
    signal,
    headers: { Accept: "application/json" },
  });
  return Promise.all(
    reply.images[0].views.map(async (view) => {
      const blob = new Blob([bytesOf(view.data)], { type: `image/${view.format}` });
      return {
        name: view.name,
        steps: view.steps,
        width: view.width,
        height: view.height,
        blob,
        bitmap: await shrunkBitmap(blob, view.width, view.height),
      };
    }),
  );
}

/// The JSON of a request. The picture's id is `0`, as in a request that sends it alone: so their draws are the same.
export function perturbRequest(second, views, settings) {
  const images = second ? { images: [{ id: "0" }, { id: "second", second_only: true }] } : {};
  return { ...images, views, ...settings };
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes;
}

async function shrunkBitmap(blob, width, height) {
  const share = Math.min(1, MOST_SIDE / Math.max(width, height));
  if (share === 1) return createImageBitmap(blob);
  return createImageBitmap(blob, {
    resizeWidth: Math.max(1, Math.round(width * share)),
    resizeHeight: Math.max(1, Math.round(height * share)),
    resizeQuality: "medium",
  });
}
