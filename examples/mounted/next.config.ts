// Next's bundler cannot include ONNX Runtime's native library, so Nearcast stays a package.
export default { serverExternalPackages: ["nearcast"] };
