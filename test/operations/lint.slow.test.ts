import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { find, lint, LINTERS } from "../../infra/lint.ts";

/** For each linter a file with a mistake, and what the linter says about it. */
const MISTAKES: Record<string, { file: string; content: string; says: RegExp }> = {
  shellcheck: {
    file: "infra/start.sh",
    content: '#!/bin/sh\nfile="a b"\nrm $file\n',
    says: /SC2086/,
  },
  actionlint: {
    file: ".github/workflows/checks.yml",
    content: workflow("echo ${{ github.nonsense }}"),
    says: /property "nonsense" is not defined/,
  },
  zizmor: {
    file: ".github/workflows/checks.yml",
    content: workflow("echo ${{ github.event.pull_request.title }}"),
    says: /template-injection/,
  },
  "cfn-lint": {
    file: ".cache/stacks/dev.json",
    content: JSON.stringify({
      Resources: { Models: { Type: "AWS::S3::Bucket", Properties: { Encrypted: true } } },
    }),
    says: /E3002.*'Encrypted' was unexpected/,
  },
  hadolint: { file: "Dockerfile", content: "FROM node\n", says: /DL3006/ },
  "compose-config": {
    file: "infra/container/compose.yml",
    content: "services: { a: { image: b, depend_on: [c] } }",
    says: /'depend_on' not allowed/,
  },
  promtool: {
    file: "infra/container/prometheus/prometheus.yml",
    content: "scrape_config: []",
    says: /field scrape_config not found/,
  },
  "kubernetes-validate": {
    file: "infra/kubernetes/base/service.yaml",
    content: "{ apiVersion: v1, kind: Service, metadata: { name: a }, spec: { port: 80 } }",
    says: /'port' was unexpected/,
  },
  kustomize: {
    file: "infra/kubernetes/base/kustomization.yaml",
    content: "resources: [nothing.yaml]",
    says: /nothing\.yaml.*no such file/,
  },
};

describe.each(LINTERS)("$name", (linter) => {
  const installed = find(linter.name) !== undefined;
  if (!installed) console.log(`${linter.name} is not installed: .ci/run installs it`);

  test.skipIf(!installed)("finds a mistake", async () => {
    const { file, content, says } = MISTAKES[linter.name]!;
    const folder = await mkdtemp(join(tmpdir(), "lint-"));
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
    expect(lint(linter, folder)).toMatch(says);
  });
});

function workflow(script: string): string {
  return `name: checks
on: pull_request
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - run: ${script}
`;
}
