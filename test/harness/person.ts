// What people do in a page. Playwright's own ways do less in Firefox.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { isFirefox } from "./browser.ts";

/** Puts a text in place of what is there, at once. In Firefox, Playwright's `fill` does it so that React sees no change. */
export async function typeInto(field: Locator, text: string): Promise<void> {
  await field.selectText();
  await field.evaluate((_field, text) => {
    if (text) document.execCommand("insertText", false, text);
    else document.execCommand("delete");
  }, text);
}

/** A file of an image, or one that only says so. */
interface ImageFile {
  name: string;
  bytes: Buffer;
}

/** Chooses an image. In Firefox a script does it: its page ended after WebDriver had chosen a file. */
export async function chooseFile(
  field: Locator,
  { name, bytes, type = "image/png" }: ImageFile & { type?: string },
): Promise<void> {
  if (!isFirefox) return field.setInputFiles({ name, mimeType: type, buffer: bytes });
  await field.evaluate(
    (field, [name, bytes, type]) => {
      const made = new DataTransfer();
      made.items.add(new File([new Uint8Array(bytes)], name, { type }));
      (field as HTMLInputElement).files = made.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    },
    [name, [...bytes], type] as const,
  );
}

/** Chooses a file of which the page hears after it is gone. Not in Firefox, see {@link chooseFile}. */
export async function chooseGoneFile(field: Locator, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-gone-"));
  await writeFile(join(folder, name), "gone");
  await field.evaluate((field) =>
    field.addEventListener("change", (event) => event.stopImmediatePropagation(), {
      once: true,
      capture: true,
    }),
  );
  await field.setInputFiles(join(folder, name));
  await rm(folder, { recursive: true });
  await field.dispatchEvent("change");
}

/** Drops an image onto the page's field for them. */
export async function dropImage(page: Page, file: ImageFile): Promise<void> {
  await page.evaluate(`{
    const dataTransfer = ${transferOf(file)};
    const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
    document.querySelector(".drop").dispatchEvent(event);
  }`);
}

/** Pastes an image by the keyboard. The clipboard of a Firefox without a screen takes none: there it is only the event. */
export async function pasteImage(page: Page, file: ImageFile): Promise<void> {
  if (isFirefox) {
    await page.evaluate(`{
      const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true });
      Object.defineProperty(event, "clipboardData", { value: ${transferOf(file)} });
      document.body.dispatchEvent(event);
    }`);
    return;
  }
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(
    `navigator.clipboard.write([new ClipboardItem({ "image/png": ${codeOf(file)} })])`,
  );
  await page.keyboard.press("ControlOrMeta+v");
}

/** Code that makes a DataTransfer with the file. */
function transferOf(file: ImageFile): string {
  return `(() => {
    const made = new DataTransfer();
    made.items.add(${codeOf(file)});
    return made;
  })()`;
}

function codeOf({ name, bytes }: ImageFile): string {
  return `new File([new Uint8Array(${JSON.stringify([...bytes])})], ${JSON.stringify(name)}, { type: "image/png" })`;
}
