import * as z from "zod";

/** What really happened to a request. */
export interface GivenOutcome {
  request_id: string;
  outcome: unknown;
}

const own = z.looseObject({ request_id: z.string(), outcome: z.unknown() });
/** SageMaker's ground truth. The id is that of the prediction's request. */
const truth = z.looseObject({
  groundTruthData: z.looseObject({ data: z.string(), encoding: z.enum(["CSV", "JSON", "BASE64"]) }),
  eventMetadata: z.looseObject({ eventId: z.string() }),
});

/** Reads lines of JSON: `{"request_id": …, "outcome": …}`, or SageMaker's records. Throws an Error with the line. */
export function readOutcomes(text: string): GivenOutcome[] {
  return text.split("\n").flatMap((content, index) => {
    if (content.trim() === "") return [];
    try {
      return [readLine(JSON.parse(content))];
    } catch (cause) {
      throw new Error(
        `Line ${index + 1} is neither {"request_id": …, "outcome": …} nor a ground truth record.`,
        { cause },
      );
    }
  });
}

function readLine(json: unknown): GivenOutcome {
  const read = own.safeParse(json);
  if (read.success) return { request_id: read.data.request_id, outcome: read.data.outcome };
  const { groundTruthData, eventMetadata } = truth.parse(json);
  const { data, encoding } = groundTruthData;
  const written = encoding === "BASE64" ? Buffer.from(data, "base64").toString() : data;
  return { request_id: eventMetadata.eventId, outcome: valueOf(written) };
}

/** A number where it is one: CSV does not tell texts from numbers. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
