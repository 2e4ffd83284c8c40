"""Readings as OsiriX's and Horos' plug-in ExportROIs writes them."""

import plistlib

from glutseg import dicom
from glutseg.exchange.contours import filled, outlines, signed_area
from glutseg.exchange.measure_mask import load_series

STATISTICS = "ImageNo,RoiNo,RoiMean,RoiMin,RoiMax,RoiTotal,RoiDev,RoiName,RoiCenterX,RoiCenterY,RoiCenterZ,"
OLD = STATISTICS + "Length,Area,"
NEW = OLD.replace("Length,Area", "LengthCm,LengthPix,AreaPix2, AreaCm2")
UIDS = "SOPInstanceUID,SeriesInstanceUID,StudyInstanceUID,"
POINTS = "RoiType,{uids}NumOfPoints,mmX,mmY,mmZ,pxX,pxY,..."
CLOSED_POLYGON, LENGTH, SLICE = 11, 5, 3


class Drawn:
    """The outlines of a mask on one slice of the files, written as the plug-in writes them."""

    def __init__(self, images, mask=None, labels=("left", "right"), kind=CLOSED_POLYGON, slice_index=SLICE):
        self.loaded = load_series(dicom.scan(images))
        self.image = self.loaded.image
        self.geometry = self.image.stored
        self.kind, self.k = kind, slice_index
        self.lines = {}
        if mask is not None:
            for number, name in enumerate(labels, start=1):
                self.lines[name] = max(outlines(mask.stored_labels()[self.k] == number), key=len)

    def rois(self):
        for name, line in self.lines.items():
            mm = [self.geometry.point_mm(self.k, y, x) for y, x in line]
            px = [(x + 0.5, y + 0.5) for y, x in line]
            yield name, mm, px, abs(signed_area(line)) * self.geometry.pixel_area_mm2 / 100, self.mean(name)

    def mean(self, name):
        return float(self.values(name).mean())

    def values(self, name):
        inside = filled([self.lines[name]], self.geometry.shape[1:])
        return self.image.stored_hu()[self.k][inside]

    def csv(self, path, header=NEW, uids=False, scale=1.0, mean=0.0, **changed):
        rows = [header + POINTS.format(uids=UIDS if uids else "")]
        for j, (name, mm, px, cm2, mean_hu) in enumerate(self.rois()):
            area = f"1.0,2.0,0.0,{cm2 * scale:f}" if "AreaCm2" in header else f"1.0,{cm2 * scale:f}"
            told = changed.get("uids") or self.uids()
            points = ",".join("{:f},{:f},{:f},{:f},{:f}".format(*a, *b) for a, b in zip(mm, px, strict=True))
            low, high = changed.get("extremes", (self.values(name).min(), self.values(name).max()))
            image, identity = changed.get("image", self.k), ",".join(told) + "," if uids else ""
            statistics = f'{image},{j},{mean_hu + mean:f},{low:f},{high:f},0,0,"{name}",0,0,0'
            rows.append(f"{statistics},{area},{self.kind},{identity}{len(mm)},{points}")
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return path

    def uids(self):
        return self.image.sop_uids[self.image.stored_slice(self.k)], self.loaded.series.series_uid, "1.2.3"

    def xml(self, path, **image):
        rois = [
            {
                "IndexInImage": j,
                "Mean": mean,
                "Min": float(self.values(name).min()),
                "Max": float(self.values(name).max()),
                "Name": name,
                "AreaCm2": cm2,
                "AreaPix2": 0.0,
                "Type": self.kind,
                "NumberOfPoints": len(mm),
                "Point_mm": ["({:f}, {:f}, {:f})".format(*p) for p in mm],
                "Point_px": ["({:f}, {:f})".format(*p) for p in px],
                "Point_value": [0.0] * len(mm),
            }
            for j, (name, mm, px, cm2, mean) in enumerate(self.rois())
        ]
        n, rows, columns = self.geometry.shape
        about = {"ImageHeight": rows, "ImageWidth": columns, "ImageIndex": self.k, "ImageTotalNum": n}
        content = {"Images": [{**about, "NumberOfROIs": len(rois), "ROIs": rois, **image}]}
        path.write_bytes(plistlib.dumps(content))
        return path
