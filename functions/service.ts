import { createAccess, type RegistryFor } from "./auth/access.ts";
import { createBatches, type Batches } from "./batches/batches.ts";
import { createFiles, type Files } from "./files/files.ts";
import { createLookUp } from "./features/look-up.ts";
import type { FeatureSource } from "./features/source.ts";
import { createSources } from "./features/sources.ts";
import { createFollows } from "./follow.ts";
import { createCharge } from "./limits/charge.ts";
import { createOngoing } from "./load/ongoing.ts";
import { createJobs, type Jobs } from "./jobs/jobs.ts";
import { createSpace } from "./load/space.ts";
import { createTurns, type Turns } from "./load/turns.ts";
import { createAnticipation } from "./model/anticipation.ts";
import { createReadiness, type Readiness } from "./model/ready.ts";
import { createRegistry } from "./model/registry.ts";
import type { Manifest } from "./model/manifest.ts";
import { roomOf, tooLarge } from "./model/too-large.ts";
import { createSessions, type Sessions } from "./model/sessions.ts";
import { createAccessLog } from "./observe/access-log.ts";
import { createCapture } from "./observe/capture/capture.ts";
import { createDriftSamples } from "./observe/drift/samples.ts";
import { createWatch } from "./observe/drift/watch.ts";
import { createEstimates } from "./observe/feedback/estimates.ts";
import { createFeedback, type Feedback } from "./observe/feedback/feedback.ts";
import { createAccuracySamples } from "./observe/feedback/samples.ts";
import { createMetrics, type Metrics } from "./observe/metrics-service.ts";
import { createOtlp } from "./observe/otlp.ts";
import { gatherRecords } from "./observe/metric-counts.ts";
import { tellAll, type Observer, type Observing } from "./observe/observer.ts";
import { createStatistics, type Statistics } from "./observe/statistics.ts";
import type { Platform } from "./platform/types.ts";
import { createInfer, createPredict, type Infer, type Predict } from "./predict.ts";
import { createCachedRuns } from "./prediction-cache/cached-runs.ts";
import { createResolve, type Resolve } from "./record-call.ts";
import { createRolloutCounting } from "./rollout/counting.ts";
import { createShadows } from "./rollout/shadows.ts";
import { createRollouts, type Rollouts } from "./rollout/rollouts.ts";
import { createRegion, type Region } from "./spillover/region.ts";
import type { Task } from "./tasks/define.ts";
import { createTasks, type Tasks } from "./tasks/tasks.ts";
import { createDelivery } from "./webhooks/deliver.ts";
import { createTokenize, type Detokenize, type Tokenize } from "./tokenize.ts";

export interface ServiceOptions {
  /** Tasks besides the built-in ones. */
  tasks?: readonly Task[] | undefined;
  /** Sources of features besides those of `FEATURE_SOURCES`. */
  sources?: readonly FeatureSource[] | undefined;
  /** Further observers of calls and requests. */
  observers?: readonly Observer[] | undefined;
}

/** Everything but HTTP: models, predictions and their records. */
export interface Service extends Readiness {
  platform: Platform;
  tasks: Tasks;
  /** Answers inputs through the model's task. */
  predict: Predict;
  /** Answers tensors with tensors. */
  infer: Infer;
  /** Turns texts into the tokens of a model, without running it. */
  tokenize: Tokenize;
  /** Turns token ids of a model into texts. */
  detokenize: Detokenize;
  /** Finds the version that answers a call, for dialects that need it before they read the inputs. */
  resolve: Resolve;
  /** The registry, limited to what a caller may use for one purpose. */
  registryFor: RegistryFor;
  /** Joins predictions with what really happened. */
  feedback: Feedback;
  sessions: Sessions;
  /** Loads the version that answers the model's calls, so that the first one need not wait. Rejects as a call does. */
  preload: (model: string) => Promise<void>;
  statistics: Statistics;
  /** Versions on trial: what is known of them, and what becomes of them. */
  rollouts: Rollouts;
  metrics: Metrics;
  /** Calls that are answered later. Absent where the platform has no queue. */
  jobs: Jobs | undefined;
  /** Files whose rows are answered later. Absent where the platform has none. */
  batches: Batches | undefined;
  /** Files that callers upload for them. Absent where there are no batches. */
  files: Files | undefined;
  /** Absent where there is no clock to measure turns by. */
  turns: Turns | undefined;
  /** Answers what is too large for this deployment. Absent where none is configured. */
  region: Region | undefined;
  /** Tells all observers. */
  observer: Observer;
  /** Writes the captured inputs that wait in this instance. Never rejects. For the end of a process. */
  flushCaptured: () => Promise<void>;
  /**
   * Removes captured inputs of all models whose time is over. Once an hour at most, and never rejects. For schedules;
   * a server does it by itself.
   */
  removeExpired: () => Promise<void>;
}

/** What waits to be written takes two bytes a pixel. There is room for that of two of the largest pictures. */
const UNWRITTEN_BYTES_A_PIXEL = 2 * Uint16Array.BYTES_PER_ELEMENT;

/**
 * Makes the service of a platform. It knows nothing of HTTP: an app, a queue's consumer and a script use the same
 * service. Throws an Error for two tasks with the same name.
 *
 * @example
 * const service = createService(createNodePlatform({ STORE: "models" }));
 * const { outputs } = await service.predict({ model: "iris", inputs: [5.1, 3.5, 1.4, 0.2] });
 */
export function createService(
  platform: Platform & Observing,
  options: ServiceOptions = {},
): Service {
  const { config, now, turnEventLoop } = platform;
  const tasks = createTasks(options.tasks);
  const registry = createRegistry(platform, tasks);
  const registryFor = createAccess(registry);
  const gathered = gatherRecords();
  const statistics = createStatistics(gathered.calls);
  const turns = now && createTurns({ ...config, now, turnEventLoop });
  const sessions: Sessions = createSessions(platform, registry, (record) =>
    observer.load?.(record),
  );
  const onFailure = (error: unknown) =>
    platform.log({ level: "error", message: "An observer failed.", error: String(error) });
  const capture = createCapture(platform, (record) => observer.capture?.(record));
  const feedback = createFeedback(platform, capture.judge);
  const watch = createWatch(platform.counters, onFailure);
  const metrics = createMetrics({
    platform,
    turns,
    gathered,
    sessions: () => sessions.count(),
    longer: [
      createDriftSamples(platform, watch.versions),
      createAccuracySamples(platform, registry, () => feedback.models()),
    ],
  });
  const observers: Observer[] = [
    { call: gathered.calls.add, request: gathered.requests.add },
    metrics,
    ...[createOtlp(platform, metrics) ?? [], platform.observer ?? []].flat(),
    createRolloutCounting(platform.counters, gathered.calls),
    ...(config.accessLog ? [createAccessLog((entry) => platform.log(entry))] : []),
    ...(options.observers ?? []),
  ];
  const observer = tellAll(observers, onFailure);
  const ongoing = createOngoing();
  const lookUp = createLookUp({
    sourceOf: createSources(platform, options.sources),
    log: (entry) => platform.log(entry),
  });
  const shadows = createShadows({
    platform,
    registry,
    sessions,
    ongoing,
    lookUp,
    tell: (record) => observer.copy?.(record),
    onFailure,
  });
  const anticipate = createAnticipation(platform, tasks, sessions);
  const resolve = createResolve(registryFor, anticipate);
  const paths = {
    resolve,
    sessions,
    fits: (manifest: Manifest) => tooLarge(manifest, roomOf(platform)) === undefined,
    timeoutMs: config.requestTimeoutMs,
    now,
    spans: platform.spans,
    tell: observer.call,
    turns,
    unwritten: createSpace(UNWRITTEN_BYTES_A_PIXEL * config.limits.imagePixels),
    charge: createCharge(platform),
    lookUp,
    cachedRuns: createCachedRuns(platform),
    followOf: createFollows({
      summing: [watch, createEstimates(platform.counters, onFailure)],
      others: [feedback, capture],
    }),
    shadows,
    ongoing,
  };
  const files = createFiles(platform);
  const delivery = createDelivery(platform, (record) => observer.webhook?.(record));
  const region = createRegion(platform);
  const batches = createBatches(platform, { resolve, turns, files, delivery });
  return {
    platform,
    tasks,
    predict: createPredict(paths),
    infer: createInfer(paths),
    ...createTokenize({ ...paths, registryFor }),
    resolve,
    registryFor,
    feedback,
    ...createReadiness(registry, sessions, platform),
    sessions,
    async preload(model) {
      const { manifest } = await resolve({ model });
      (await sessions.acquire(manifest)).end();
    },
    statistics,
    metrics,
    jobs: createJobs(platform, {
      turns,
      observer,
      delivery,
      others: [batches, files].filter((other) => other !== undefined),
    }),
    batches,
    files,
    rollouts: createRollouts(platform, registry),
    turns,
    region,
    observer,
    flushCaptured: capture.flush,
    removeExpired: capture.removeExpired,
  };
}
