// Read a Structured Report as OHIF does: node read_sr_cornerstone.mjs IMAGES REPORT.sr.dcm
// Needs npm install @cornerstonejs/adapters dcmjs @babel/runtime (94 MB); NODE_PATH does not work for modules, so
// copy this file beside node_modules. Prints what Cornerstone makes of it as JSON.
import dcmjs from "dcmjs";
import fs from "fs";
import path from "path";
import { adaptersSR } from "@cornerstonejs/adapters";
import { metaData } from "@cornerstonejs/core";

const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
const [images, report] = process.argv.slice(2);
const read = (file) =>
  DicomMetaDictionary.naturalizeDataset(DicomMessage.readFile(new Uint8Array(fs.readFileSync(file)).buffer).dict);

const planes = {};
const imageIds = {};
for (const name of fs.readdirSync(images)) {
  const image = read(path.join(images, name));
  const [rows, columns] = [image.ImageOrientationPatient.slice(0, 3), image.ImageOrientationPatient.slice(3)];
  const imageId = `file:${image.SOPInstanceUID}`;
  imageIds[`${image.SOPInstanceUID}:1`] = imageId;
  planes[imageId] = {
    frameOfReferenceUID: image.FrameOfReferenceUID,
    rowCosines: rows.map(Number),
    columnCosines: columns.map(Number),
    imagePositionPatient: image.ImagePositionPatient.map(Number),
    rowPixelSpacing: Number(image.PixelSpacing[0]),
    columnPixelSpacing: Number(image.PixelSpacing[1]),
  };
}
const provider = (type, imageId) => (type === "imagePlaneModule" ? planes[imageId] : undefined);
metaData.addProvider(provider);
const state = adaptersSR.Cornerstone3D.MeasurementReport.generateToolState(read(report), imageIds, { get: provider });
const found = Object.entries(state).flatMap(([tool, measurements]) =>
  measurements.map((one) => ({
    tool,
    image: one.sopInstanceUid,
    finding: one.finding?.CodeMeaning,
    sites: one.findingSites.map((site) => site.CodeMeaning),
    closed: one.annotation.data.contour.closed,
    line: one.annotation.data.contour.polyline,
    stats: Object.values(one.annotation.data.cachedStats)[0],
  })),
);
process.stdout.write(JSON.stringify(found));
