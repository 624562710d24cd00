import { createServer, request as ask, type Server } from "node:http";
import { text } from "node:stream/consumers";
import type { S3Server } from "../../cli/local/s3-server.ts";

/** S3 with what only tools ask for besides: lists of versions, of which each object has one, and the removal of many objects. */
export function startToolsS3(s3: S3Server): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? "/", s3.endpoint);
    const [bucket = ""] = url.pathname.slice(1).split("/");
    if (url.searchParams.has("versions")) {
      const prefix = url.searchParams.get("prefix") ?? "";
      const versions = s3.keys(bucket).filter((key) => key.startsWith(prefix));
      const members = versions.map(
        (Key) => `<Version><Key>${Key}</Key><VersionId>1</VersionId></Version>`,
      );
      response.end(`<ListVersionsResult>${members.join("")}</ListVersionsResult>`);
    } else if (url.searchParams.has("delete"))
      void (async () => {
        for (const [, key] of (await text(request)).matchAll(/<Key>([^<]*)<\/Key>/g))
          await fetch(`${s3.endpoint}/${bucket}/${key}`, { method: "DELETE" });
        response.end("<DeleteResult/>");
      })();
    else {
      const { method, headers } = request;
      const onward = ask(url, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    }
  }).listen(0, "127.0.0.1");
}
