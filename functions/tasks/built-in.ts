import { audioClassification } from "./audio-classification/task.ts";
import { featureExtraction } from "./feature-extraction/task.ts";
import { fillMask } from "./fill-mask/task.ts";
import { imageClassification } from "./image-classification/task.ts";
import { imageFeatureExtraction } from "./image-feature-extraction/task.ts";
import { imageSegmentation } from "./image-segmentation/task.ts";
import { imageToText } from "./image-to-text/task.ts";
import { objectDetection } from "./object-detection/task.ts";
import { questionAnswering } from "./question-answering/task.ts";
import { recommendation } from "./recommendation/task.ts";
import { sentenceSimilarity } from "./sentence-similarity/task.ts";
import { tabularAnomalyDetection } from "./tabular-anomaly-detection/task.ts";
import { tabularClassification } from "./tabular-classification/task.ts";
import { tabularRegression } from "./tabular-regression/task.ts";
import { tensor } from "./tensor/task.ts";
import { textClassification } from "./text-classification/task.ts";
import { textRanking } from "./text-ranking/task.ts";
import { textRegression } from "./text-regression/task.ts";
import { tokenClassification } from "./token-classification/task.ts";
import { zeroShotClassification } from "./zero-shot-classification/task.ts";
import { zeroShotImageClassification } from "./zero-shot-image-classification/task.ts";
import { voiceActivityDetection } from "./voice-activity-detection/task.ts";
import type { Task } from "./define.ts";

/** The tasks that come with Nearcast. There is no other list of them. */
export const BUILT_IN_TASKS: readonly Task[] = [
  tabularClassification,
  tabularRegression,
  tabularAnomalyDetection,
  textClassification,
  textRegression,
  tokenClassification,
  textRanking,
  questionAnswering,
  zeroShotClassification,
  fillMask,
  imageClassification,
  imageFeatureExtraction,
  zeroShotImageClassification,
  audioClassification,
  voiceActivityDetection,
  objectDetection,
  imageSegmentation,
  imageToText,
  featureExtraction,
  sentenceSimilarity,
  recommendation,
  tensor,
];
