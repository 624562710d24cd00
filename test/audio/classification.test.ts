import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { nearcast } from "../cli/nearcast.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { useTarget } from "../harness/use-target.ts";
import { expectSchema } from "../hugging-face/specifications.ts";
import { fixtures, recorded } from "./recorded.ts";
import { recordingOf, wavOf } from "./recordings.ts";

const { answers, labels, recipes } = recorded;
const names = Object.keys(answers) as (keyof typeof answers)[];
const files = recipes.map(recordingOf);
const first = files[0] as (typeof files)[number];

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
for (const name of names) {
  const command = ["add", join(fixtures, name), "--name", name, "--models", models];
  expect(await nearcast(command)).toMatchObject({ code: 0, stderr: "" });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}
afterAll(() => rm(models, { recursive: true }));

const predict = (name: string) => `/v1/models/${name}/predict`;

interface Answered {
  outputs: { label: string; scores: Record<string, number> };
}

/** All of them on native and in workerd, but not in the quick suite. Lambda has the same runtime as Node. */
const VARIANTS = [
  { platform: "node", step: 7 },
  { platform: "node", step: 1 },
  { platform: "worker", step: 1 },
  { platform: "lambda", step: 4 },
] as const;

describe.each(inThisFile(VARIANTS))("on $platform, one in $step", ({ platform, step }) => {
  const { post: send, postJson: sendJson } = useTarget(platform, { models });
  const chosen = files.flatMap((file, at) => (at % step === 0 ? [{ file, at }] : []));

  test.each(names)("recordings have the scores of transformers' pipeline: %s", async (name) => {
    expect(answers[name]).toHaveLength(200);
    const unlike: number[] = [];
    for (let from = 0; from < chosen.length; from += 20) {
      const some = chosen.slice(from, from + 20);
      const inputs = some.map(({ file }) => Buffer.from(file).toString("base64"));
      const response = await sendJson(predict(name), { inputs });
      expect(response.status).toBe(200);
      const { outputs } = (await response.json()) as { outputs: Answered["outputs"][] };
      expect(outputs).toHaveLength(some.length);
      for (const [index, { label, scores }] of outputs.entries()) {
        const { at } = some[index] as (typeof some)[number];
        const wanted = answers[name][at] as number[];
        const near = labels.every(
          (one, place) => Math.abs((scores[one] ?? NaN) - (wanted[place] ?? NaN)) < 1e-4,
        );
        const best = labels[wanted.indexOf(Math.max(...wanted))];
        if (!near || label !== best) unlike.push(at);
      }
    }
    expect(unlike).toEqual([]);
  });

  test("a recording comes as a file, as a form, and as raw samples", async () => {
    const at = recipes.findIndex(
      ({ format, rate, channels, kind }) =>
        format === "PCM_16" && rate === 44_100 && channels === 1 && kind !== "silence",
    );
    const file = files[at] as (typeof files)[number];
    const samples = file.slice(44);
    const swapped = Buffer.from(samples).swap16();
    const form = new FormData();
    form.append("file", new Blob([file], { type: "audio/wav" }), "door.wav");
    const path = predict("ast-audio");
    const all = await Promise.all([
      send(path, "audio/wav", file),
      send(path, "audio/x-wav", file),
      send(path, "application/octet-stream", file),
      send(path, "audio/pcm;rate=44100", samples),
      send(path, "audio/l16; rate=44100; channels=1", new Uint8Array(swapped)),
      send(path, "audio/l16;rate=44100;endianness=Little-Endian", samples),
      send(path, "", form),
      sendJson(path, { inputs: `data:audio/wav;base64,${Buffer.from(file).toString("base64")}` }),
    ]);
    const made = (await Promise.all(all.map((one) => one.json()))) as Answered[];
    const wanted = answers["ast-audio"][at] as number[];
    for (const { outputs } of made)
      for (const [place, label] of labels.entries())
        expect(outputs.scores[label]).toBeCloseTo(wanted[place] ?? NaN, 3);
    const untold = await send(path, "audio/l16", samples);
    expect(untold.status).toBe(415);
    expect(((await untold.json()) as { detail: string }).detail).toContain("audio/l16;rate=16000");
    for (const [other, said] of [
      ["channels=65537", "1 to 8 channels"],
      ["channels=0", "1 to 8 channels"],
      ["bits=32", "may not have the parameter bits"],
      ["channels=1;encoding=mulaw", "may not have the parameter encoding"],
      ["endianness=middle-endian", "endianness=big-endian"],
    ] as const) {
      const refused = await send(path, `audio/l16;rate=44100;${other}`, samples);
      expect(refused.status, other).toBe(415);
      expect(((await refused.json()) as { detail: string }).detail).toContain(said);
    }
  });

  test("Hugging Face's clients have their form", async () => {
    const wanted = (answers["wav2vec2-audio"][0] as number[])
      .map((score, place) => ({ label: labels[place], score }))
      .toSorted((one, other) => other.score - one.score)
      .map(({ label, score }) => ({ label, score: expect.closeTo(score, 3) as number }));
    for (const type of ["", "audio/wav"]) {
      const response = await send("/models/wav2vec2-audio", type, first);
      const answer = await response.json();
      expect(answer).toEqual(wanted);
      expectSchema("audio-classification", answer);
    }
    const inputs = Buffer.from(first).toString("base64");
    const best = await sendJson("/models/wav2vec2-audio", { inputs, parameters: { top_k: 1 } });
    expect(await best.json()).toEqual(wanted.slice(0, 1));
  });

  test("other formats and broken headers are refused, and say what to send", async () => {
    const noise = new Uint8Array(3200).fill(7);
    const cases: [string, Uint8Array<ArrayBuffer>, string][] = [
      ["audio/mpeg", bytesOf("ID3\x04"), "is an MP3 file; send it as a WAV file of PCM"],
      ["audio/ogg", bytesOf("OggS"), "is an Ogg file; send it as a WAV file"],
      ["audio/webm", bytesOf("\x1a\x45\xdf\xa3"), "is a WebM file; send it as a WAV file"],
      ["audio/wav", bytesOf("RIFF"), "must be a WAV file; raw samples must be the whole body"],
      ["audio/wav", bytesOf("BW64"), "is a BW64 file; send it as a WAV file"],
      ["audio/wav", bytesOf("RIFF\0\0\0\0AVI "), "is an AVI file"],
      ["audio/wav", bytesOf("RIFF\0\0\0\0WEBP"), "is a WebP file"],
      ["audio/wav", new Uint8Array(), "is empty"],
      ["audio/wav", extensible(), "is a WAV file whose sub-format is not known"],
      ["audio/wav", extensible().slice(0, 50), "is a WAV file that is cut off in its format"],
      ["audio/wav", withChunks(wavOf(noise), "data"), "is a WAV file with two chunks of data"],
      ["audio/wav", withChunks(wavOf(new Uint8Array()), "LIST"), "has no sound"],
      [
        "audio/wav",
        withChunks(wavOf(new Uint8Array(), { said: 0xffff_ffff }), "LIST", "id3 "),
        "has no sound",
      ],
      ["audio/wav", withChunks(wavOf(noise), ...manyNames), "of more than 1000 chunks"],
      [
        "audio/wav",
        wavOf(new Uint8Array(20_000), { rate: 191_999 }),
        "too little in common with the model's 16000",
      ],
      ["audio/wav", wavOf(loud(3.4e38), { tag: 3, bits: 32, rate: 8000 }), "-32768 to 32768 are"],
      ["audio/wav", wavOf(loud(-40_000), { tag: 3, bits: 32 }), "a sample that is -40000"],
      ["audio/pcm;rate=16000;channels=2", noise.slice(0, 3198), "are no whole samples"],
      ["audio/l16;rate=16000", noise.slice(1), "has 3199 bytes, which are no whole samples"],
      ["audio/wav", wavOf(noise, { rate: 1 }), "has 1 samples a second; 4000 to 192000"],
      ["audio/wav", wavOf(noise, { rate: 4_000_000_000 }), "has 4000000000 samples a second"],
      ["audio/wav", wavOf(noise, { channels: 200 }), "has 200 channels; 1 to 8 are taken"],
      ["audio/wav", wavOf(noise, { tag: 7, bits: 8 }), "is a WAV file of µ-law"],
      ["audio/wav", wavOf(noise, { bits: 12 }), "is a WAV file of 12 bits a sample"],
      ["audio/wav", wavOf(noise, { said: 4000 }), "is cut off: its header says 4000 bytes"],
      ["audio/wav", wavOf(new Uint8Array()), "has no sound"],
      ["audio/wav", wavOf(noise.subarray(0, 200)), "lasts 0.00625 seconds; the model needs 0.025"],
      ["audio/wav", wavOf(notNumbers(), { tag: 3, bits: 32 }), "is no finite number, at 500"],
    ];
    for (const [type, body, message] of cases) {
      const response = await send(predict("ast-audio"), type, body);
      expect(response.status, message).toBe(422);
      const { errors } = (await response.json()) as { errors: { path: string; message: string }[] };
      expect(errors[0]?.message).toContain(message);
      expect(errors[0]?.path).toBe("inputs");
    }
    const text = await sendJson(predict("ast-audio"), { inputs: ["no sound!"] });
    expect(await text.json()).toMatchObject({
      errors: [{ path: "inputs[0]", message: "must be a WAV file as a base64 string" }],
    });
  });

  test("files of programs that write to a pipe are read to their end", async () => {
    const samples = first.slice(44);
    for (const said of [0, 0xffff_ffff, 0x7fff_f000])
      expect(
        await (await send(predict("ast-audio"), "audio/wav", wavOf(samples, { said }))).json(),
      ).toEqual(await (await send(predict("ast-audio"), "audio/wav", wavOf(samples))).json());
  });
});

function bytesOf(start: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([Buffer.from(start, "latin1"), Buffer.alloc(300)]));
}

const manyNames = Array.from({ length: 1001 }, () => "junk");

/** A file with chunks of eight bytes behind it. */
function withChunks(
  file: Uint8Array<ArrayBuffer>,
  ...names: readonly string[]
): Uint8Array<ArrayBuffer> {
  const chunks = names.map((name) => Buffer.from(`${name}\x08\0\0\0INFOISFT`, "latin1"));
  return new Uint8Array(Buffer.concat([file, ...chunks]));
}

/** PCM by its tag, and Ambisonic sound by the rest of its sub-format. */
function extensible(): Uint8Array<ArrayBuffer> {
  const plain = Buffer.from(wavOf(new Uint8Array(3200), { tag: 0xfffe }));
  plain.writeUInt32LE(40, 16);
  const format = Buffer.alloc(24);
  format.writeUInt16LE(22, 0);
  Buffer.from("010000002107d3118644c8c1ca000000", "hex").copy(format, 8);
  return new Uint8Array(Buffer.concat([plain.subarray(0, 36), format, plain.subarray(36)]));
}

/** A square wave. */
function loud(level: number): Uint8Array {
  const samples = Float32Array.from({ length: 8000 }, (_, at) => (at % 10 < 5 ? level : -level));
  return new Uint8Array(samples.buffer);
}

function notNumbers(): Uint8Array {
  const samples = new Float32Array(1000);
  samples[500] = NaN;
  return new Uint8Array(samples.buffer);
}
