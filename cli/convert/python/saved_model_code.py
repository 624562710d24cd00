"""Whether loading or asking a SavedModel may read and write files: a look at its operators, before anything runs."""

from collections import defaultdict
from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2
import tf2onnx.tfonnx  # It registers what tf2onnx can write.
from tf2onnx.handler import tf_op

from refusal import Refusal, in_short

# Calls, variables, lists, conditions, random numbers, and what training leaves: none of them opens a file. What tf2onnx can
# write as ONNX computes numbers only.
HARMLESS = set(
    """
    PartitionedCall StatefulPartitionedCall Case StatelessCase Assert
    VarHandleOp ReadVariableOp AssignVariableOp AssignAddVariableOp AssignSubVariableOp VarIsInitializedOp DestroyResourceOp DisableCopyOnRead
    ResourceGather ResourceGatherNd ResourceScatterAdd VariableShape
    MutableHashTableV2 LookupTableImportV2 LookupTableInsertV2 LookupTableExportV2 InitializeTableV2
    EmptyTensorList TensorListPushBack TensorListPopBack TensorListElementShape TensorListConcatV2 TensorListGather
    OptionalFromValue OptionalGetValue OptionalHasValue OptionalNone CudnnRNNV2 CudnnRNNV3 CudnnRNNBackpropV2 CudnnRNNBackpropV3
    StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomGetAlg StatelessRandomUniform StatelessRandomUniformV2
    StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomNormal StatelessRandomNormalV2 StatelessTruncatedNormalV2
    TruncatedNormal RngReadAndSkip StatefulUniform StatefulStandardNormalV2
    AccumulateNV2 ApproximateEqual BroadcastArgs BroadcastGradientArgs Complex ConcatOffset Conj Cross Cholesky Digamma Empty Erfc Erfinv
    Expm1 HistogramFixedWidth IFFT IFFT2D IRFFT FFT2D Imag InTopKV2 L2Loss Lgamma LinSpace Log1p LowerBound UpperBound MatrixSolve
    MatrixTriangularSolve Mod MulNoNan Ndtri NextAfter PreventGradient Qr Rank Real ShapeN Svd
    TopK UnravelIndex Xdivy Xlogy Xlog1py Bitcast BesselI0e BesselI1e Betainc Igamma Igammac Zeta Polygamma
    MaxPoolGrad MaxPoolGradV2 AvgPoolGrad BiasAddGrad Conv2DBackpropFilter DepthwiseConv2dNativeBackpropFilter
    DepthwiseConv2dNativeBackpropInput FusedBatchNormGradV3 ReluGrad Relu6Grad EluGrad SeluGrad LeakyReluGrad SigmoidGrad TanhGrad SoftplusGrad
    SoftsignGrad RsqrtGrad SqrtGrad ReciprocalGrad InvGrad StridedSliceGrad MirrorPadGrad ResizeBilinearGrad ResizeNearestNeighborGrad
    """.split()
)
# What saves and restores variables opens the files that it is told. It is allowed only in functions that nothing calls.
CHECKPOINT = {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename", "StaticRegexFullMatch"}


def check_code(folder):
    """Raises Refusal for a SavedModel with operators that nothing is known of to be harmless."""
    graph = read(folder)
    if not graph.object_graph_def.nodes:
        raise Refusal("It is a SavedModel of TensorFlow 1, which runs its operators when it is loaded. If you trust who made it, say --trust.")
    harmless = HARMLESS | convertible()
    functions = graph.graph_def.library.function
    run = set(of_objects(graph.object_graph_def)) | {name for function in functions for node in function.node_def for name in called(node)}
    found = defaultdict(set)
    for function in functions:
        name = function.signature.name
        own = harmless if name in run else harmless | CHECKPOINT
        for node in function.node_def:
            if node.op not in own:
                found[node.op].add(name)
    if found:
        named = ", ".join(f"{operator} (in {min(names)})" for operator, names in sorted(found.items())[:8])
        raise Refusal(f"The SavedModel has operators that may read and write files, or do what is not known: {named}. If you trust who made it, say --trust.")


def read(folder):
    try:
        saved = saved_model_pb2.SavedModel.FromString(Path(folder, "saved_model.pb").read_bytes())
    except Exception as error:
        raise Refusal(f"saved_model.pb cannot be read: {in_short(error)}") from error
    if len(saved.meta_graphs) != 1:
        raise Refusal(f"The SavedModel has {len(saved.meta_graphs)} graphs, and convert takes one.")
    return saved.meta_graphs[0]


def convertible():
    return {operator for versions in tf_op.get_opsets().values() for operators in versions for operator in operators}


def of_objects(graph):
    """The functions that loading may call, and asking."""
    yield from graph.concrete_functions
    for node in graph.nodes:
        yield node.bare_concrete_function.concrete_function_name
        yield from node.function.concrete_functions


def called(node):
    """The functions that a node names. Loading takes an operator for one of the library if that has its name."""
    yield node.op
    for attribute in node.attr.values():
        for function in [attribute.func, *attribute.list.func]:
            if function.name:
                yield function.name
