// What a camera reads from a picture on a page.

import jsqr from "jsqr";
import { PNG } from "pngjs";

export async function scan(picture) {
  const { data, width, height } = PNG.sync.read(await picture.screenshot());
  // The package is CommonJS, and calls its function `default` itself.
  const read = (jsqr.default ?? jsqr)(new Uint8ClampedArray(data), width, height);
  if (!read) throw new Error("no camera reads this picture");
  return Buffer.from(read.binaryData).toString("utf8");
}
