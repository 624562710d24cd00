export interface StackOptions {
  /** The template at a URL that a tool gave. */
  read: (url: string) => string;
  /** Makes what the template describes. */
  onTemplate: (template: string) => Promise<void>;
  onDelete: () => Promise<void>;
  outputs: Record<string, string>;
  /** The name of the bucket in which the tool keeps packages. */
  bucket: string;
}

export interface CloudFormation {
  /** The names of the stacks that there are. */
  stacks: () => string[];
  /** Answers a request by its form fields, in XML. */
  answer: (fields: URLSearchParams) => Promise<{ status: number; body: string }>;
}

interface Stack {
  template: string;
  events: string[];
}

interface Asked {
  name: string;
  fields: URLSearchParams;
  stack: Stack | undefined;
}

const ACCOUNT = "123456789012";
const TIME = "2026-01-01T00:00:00Z";
const idOf = (name: string) => `arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/${name}/1`;

/** As much of CloudFormation and STS as osls asks for to deploy one stack by change sets, to go back and to remove it. */
export function createCloudFormation(options: StackOptions): CloudFormation {
  const { read, onTemplate, onDelete, outputs, bucket } = options;
  const stacks = new Map<string, Stack>();
  /** The template of the change set that a stack has. */
  const changes = new Map<string, string>();

  const always: Record<string, (asked: Asked) => string | Promise<string>> = {
    GetCallerIdentity: () => xml({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/dev` }),
    ValidateTemplate: () => "",
    DeleteChangeSet: () => "",
    CreateChangeSet({ name, fields }) {
      changes.set(name, fields.get("TemplateBody") ?? read(fields.get("TemplateURL") ?? ""));
      return xml({ Id: "change", StackId: idOf(name) });
    },
    DescribeChangeSet: ({ name }) =>
      xml({ Status: "CREATE_COMPLETE", StackId: idOf(name), StackName: name }),
    async ExecuteChangeSet({ name, stack }) {
      const template = changes.get(name) ?? "{}";
      await onTemplate(template);
      const done = ["COMPLETE", "IN_PROGRESS"].map((end) =>
        eventOf(name, `${stack ? "UPDATE" : "CREATE"}_${end}`),
      );
      stacks.set(name, { template, events: [...done, ...(stack?.events ?? [])] });
      return "";
    },
  };
  const ofStack: Record<string, (stack: Stack, name: string) => string | Promise<string>> = {
    DescribeStacks(_, name) {
      const told = Object.entries(outputs).map(([OutputKey, OutputValue]) =>
        xml({ OutputKey, OutputValue }),
      );
      const stack = { StackId: idOf(name), StackName: name, StackStatus: "UPDATE_COMPLETE" };
      const own = xml({ ...stack, CreationTime: TIME });
      return `<Stacks><member>${own}<Outputs>${members(told)}</Outputs></member></Stacks>`;
    },
    DescribeStackEvents: ({ events }) => `<StackEvents>${members(events)}</StackEvents>`,
    // The only one that osls asks for.
    DescribeStackResource: () =>
      `<StackResourceDetail>${xml({ PhysicalResourceId: bucket })}</StackResourceDetail>`,
    ListStackResources: () => "<StackResourceSummaries/>",
    GetTemplate: ({ template }) => xml({ TemplateBody: template }),
    async DeleteStack(_, name) {
      await onDelete();
      stacks.delete(name);
      return "";
    },
  };

  return {
    stacks: () => [...stacks.keys()],
    async answer(fields) {
      const action = fields.get("Action") ?? "";
      const name = (fields.get("StackName") ?? "").replace(/^arn:.*:stack\/([^/]+).*/, "$1");
      const stack = stacks.get(name);
      const result =
        (await always[action]?.({ name, fields, stack })) ??
        (stack && (await ofStack[action]?.(stack, name)));
      if (result !== undefined)
        return {
          status: 200,
          body: `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`,
        };
      const Message = stack ? `What is ${action}?` : `Stack with id ${name} does not exist`;
      const error = xml({ Type: "Sender", Code: "ValidationError", Message });
      return { status: 400, body: `<ErrorResponse><Error>${error}</Error></ErrorResponse>` };
    },
  };
}

function eventOf(name: string, ResourceStatus: string): string {
  return xml({
    EventId: crypto.randomUUID(),
    StackId: idOf(name),
    StackName: name,
    LogicalResourceId: name,
    ResourceType: "AWS::CloudFormation::Stack",
    ResourceStatus,
    Timestamp: TIME,
  });
}

const members = (all: readonly string[]) => all.map((one) => `<member>${one}</member>`).join("");

function xml(fields: Record<string, string>): string {
  return Object.entries(fields)
    .map(([name, text]) => {
      const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
      return `<${name}>${escaped}</${name}>`;
    })
    .join("");
}
