import { createService } from "nearcast";
import { createCloudflarePlatform } from "nearcast/cloudflare";
import { createShop } from "./shop.ts";

export default createShop(createService(createCloudflarePlatform()));
