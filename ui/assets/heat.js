/* Where two images differ, as a picture: the first in dim grey, over it from amber to red how far the second is apart. */

const LONGEST = 1024;
/** A channel that is off by fewer of 255 steps looks the same. */
const VISIBLE = 10;
/** Steps at which the colour is full. */
const FULL = 96;
const NEAR = [255, 190, 60];
const FAR = [230, 30, 20];

/** `{bitmap, width, height, words}`. The second image is brought to the size of the first. */
export async function heatOf(one, other) {
  const [first, second] = await Promise.all([one, other].map(bitmapOf));
  const scale = Math.min(1, LONGEST / Math.max(first.width, first.height));
  const width = Math.max(1, Math.round(first.width * scale));
  const height = Math.max(1, Math.round(first.height * scale));
  const [a, b] = [first, second].map((bitmap) => pixelsOf(bitmap, width, height));
  const isStretched = Math.abs(first.width / first.height / (second.width / second.height) - 1) > 0.01;
  const { bitmap, mean, visible } = compare(a, b, width, height);
  return { bitmap, width, height, words: words(mean, visible, isStretched) };
}

async function bitmapOf(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`no image at ${url}`);
  return createImageBitmap(await answer.blob());
}

function pixelsOf(bitmap, width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

function compare(a, b, width, height) {
  const bitmap = new ImageData(width, height);
  const out = bitmap.data;
  let sum = 0;
  let visible = 0;
  for (let at = 0; at < a.length; at += 4) {
    const apart = Math.max(Math.abs(a[at] - b[at]), Math.abs(a[at + 1] - b[at + 1]), Math.abs(a[at + 2] - b[at + 2]), Math.abs(a[at + 3] - b[at + 3]));
    sum += Math.abs(a[at] - b[at]) + Math.abs(a[at + 1] - b[at + 1]) + Math.abs(a[at + 2] - b[at + 2]);
    const grey = 40 + (0.3 * a[at] + 0.59 * a[at + 1] + 0.11 * a[at + 2]) * 0.35;
    const heat = apart <= VISIBLE ? 0 : Math.min(1, (apart - VISIBLE) / (FULL - VISIBLE));
    if (apart > VISIBLE) visible += 1;
    const strength = heat ? 0.35 + 0.65 * heat : 0;
    for (let channel = 0; channel < 3; channel += 1) {
      const warm = NEAR[channel] + (FAR[channel] - NEAR[channel]) * heat;
      out[at + channel] = grey + (warm - grey) * strength;
    }
    out[at + 3] = 255;
  }
  const pixels = width * height;
  return { bitmap, mean: sum / (3 * 255 * pixels), visible: visible / pixels };
}

function words(mean, visible, isStretched) {
  const shape = isStretched ? " Their shapes differ, so the second was stretched." : "";
  if (!visible) return `No visible difference.${shape}`;
  return `${percent(visible)} of the pixels differ visibly, by ${percent(mean)} on average over all.${shape}`;
}

const percent = (share) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
