import { firefox, type Browser } from "playwright-core";

/** Sends a command of WebDriver BiDi. */
type Send = (method: string, params: object) => Promise<object>;
interface Driven {
  _connection: { toImpl: (browser: Browser) => { _browserSession: { send: Send } } };
}
interface MediaFeatures {
  features: { "prefers-color-scheme"?: "dark" | "light" | null };
}

/** Starts the Firefox of this path without a screen, with a camera that shows a moving pattern. */
export async function startFirefox(executablePath: string): Promise<Browser> {
  const browser = await firefox.launch({
    channel: "moz-firefox",
    executablePath,
    args: ["--remote-allow-system-access"],
    firefoxUserPrefs: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
    },
  });
  emulateColorScheme(browser);
  return browser;
}

/**
 * Playwright asks for a colour scheme with a command of WebDriver BiDi that Firefox 153 does not have.
 * A preference of the browser says it in its place, for all pages.
 */
function emulateColorScheme(browser: Browser): void {
  const driven = (browser as unknown as Driven)["_connection"].toImpl(browser);
  const session = driven["_browserSession"];
  const send: Send = session.send.bind(session);
  session.send = async (method, params) => {
    if (method !== "emulation.setMediaFeaturesOverride") return send(method, params);
    const isDark = (params as MediaFeatures).features["prefers-color-scheme"] === "dark";
    const name = "layout.css.prefers-color-scheme.content-override";
    const { contexts } = (await send("browsingContext.getTree", { "moz:scope": "chrome" })) as {
      contexts: { context: string }[];
    };
    return send("script.evaluate", {
      expression: `Services.prefs.setIntPref("${name}", ${isDark ? 0 : 1})`,
      target: { context: contexts[0]?.context },
      awaitPromise: false,
    });
  };
}
