// Counts a segment and watches its campaign's report from Node.
// usage: node client.mjs PROTOS AUDIENCE_ADDRESS TOKEN SEGMENT
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [protos, address, token, segment] = process.argv.slice(2);
const definition = loader.loadSync("heliograph/audience/v1/segment_service.proto", {
  includeDirs: [protos, `${protos}/third_party`],
  keepCase: true,
  longs: Number,
});
const { heliograph } = grpc.loadPackageDefinition(definition);
const segments = new heliograph.audience.v1.SegmentService(address, grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${token}`);

segments.CountSegment({ name: segment }, metadata, (error, counted) => {
  if (error) {
    console.error(`${grpc.status[error.code]}: ${error.details}`);
    process.exit(1);
  }
  console.log(JSON.stringify(counted));
});
