// Let dcmjs, on which OHIF rests, write a Segmentation: node write_dcmjs_seg.js IMAGES LABELS.raw OUT.dcm
const dcmjs = require("dcmjs");
const fs = require("fs");
const path = require("path");

const SEGMENTS = [
  ["Gluteus maximus left", "7771000", "Left"],
  ["Gluteus maximus right", "24028007", "Right"],
];
const [images, raw, out] = process.argv.slice(2);
const { DicomMetaDictionary, DicomMessage, datasetToDict } = dcmjs.data;
const code = (value, meaning) => ({ CodeValue: value, CodingSchemeDesignator: "SCT", CodeMeaning: meaning });

const datasets = fs.readdirSync(images).map((name) => {
  const dict = DicomMessage.readFile(new Uint8Array(fs.readFileSync(path.join(images, name))).buffer);
  const dataset = DicomMetaDictionary.naturalizeDataset(dict.dict);
  dataset._meta = DicomMetaDictionary.namifyDataset(dict.meta);
  return dataset;
});
const reference = dcmjs.normalizers.Normalizer.normalizeToDataset(datasets);
const segmentation = new dcmjs.derivations.Segmentation([reference], {});

// the labels' slices lie from the feet to the head, the frames of dcmjs in an order of its own
const heights = reference.PerFrameFunctionalGroupsSequence.map((group) => {
  const [position] = [group.PlanePositionSequence].flat();
  return Number(position.ImagePositionPatient[2]);
});
const fromTheFeet = [...heights].sort((a, b) => a - b);
const labels = new Uint8Array(fs.readFileSync(raw));
const size = reference.Rows * reference.Columns;
const planes = heights.map((height) => {
  const slice = fromTheFeet.indexOf(height);
  return labels.subarray(slice * size, (slice + 1) * size);
});
const framesOf = SEGMENTS.map((_, index) =>
  planes.map((_, frame) => frame).filter((frame) => planes[frame].includes(index + 1)));
segmentation.setNumberOfFrames(framesOf.flat().length);
SEGMENTS.forEach(([name, side, meaning], index) => {
  segmentation.addSegmentFromLabelmap(
    {
      SegmentLabel: name,
      SegmentAlgorithmType: "MANUAL",
      SegmentedPropertyCategoryCodeSequence: code("85756007", "Tissue"),
      SegmentedPropertyTypeCodeSequence: {
        ...code("181674001", "Gluteus maximus muscle"),
        SegmentedPropertyTypeModifierCodeSequence: code(side, meaning),
      },
    },
    framesOf[index].map((frame) => planes[frame]),
    index + 1,
    framesOf[index].map((frame) => frame + 1),
  );
});
segmentation.bitPackPixelData();
fs.writeFileSync(out, new Uint8Array(datasetToDict(segmentation.dataset).write()));
