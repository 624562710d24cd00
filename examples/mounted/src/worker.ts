import { createService } from "nearcast";
import { createCloudflarePlatform } from "nearcast/cloudflare";
import { createShop } from "./shop.ts";

const platform = createCloudflarePlatform();
const shop = createShop(createService(platform));

// The queue is for calls that are answered later, where wrangler.toml binds one.
export default { fetch: shop.fetch, queue: platform.queue };
