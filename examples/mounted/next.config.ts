// Next's bundler cannot take ONNX Runtime's native library in: Nearcast stays a package.
export default { serverExternalPackages: ["nearcast"] };
