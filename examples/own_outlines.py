# %% [markdown]
# # Your own outlines, and how much the choice of the slice matters
#
# A mask that was drawn or corrected by hand (in 3D Slicer, ITK-SNAP, by another program) is measured by the
# same functions, compared with the automatic one (Dice, surface distance), and both are followed slice by
# slice: a slice chosen a little higher or lower gives another area, however well it is outlined. For
# research use only; this is not a medical device.

# %%
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from matplotlib import pyplot as plt

import glutseg
from glutseg.agreement import overlap
from glutseg.image import SIDES

SERIES = Path("sample_dicom/PHANTOM-0001")  # a folder with the CT of one patient
MINE = Path("my_mask.nii.gz")  # your outlines: NIfTI, NRRD, DICOM SEG or RTSTRUCT; 1 left, 2 right

# %% [markdown]
# **The automatic outline.** `case.flags` says what to look at.

# %%
case = glutseg.measure_study(SERIES)
level = case.result.level
if level is None or case.image is None or case.mask is None:
    raise SystemExit(f"not measured: {case.result.error_code}: {case.result.error_message}")

# %% [markdown]
# **Your outline.** Where there is none yet, a stand-in is made of the automatic one, drawn one pixel inside
# of it on every slice, as a cautious reader may. It is read back from its file with its geometry; a mask of
# another patient or with sides exchanged would be refused.

# %%
if not MINE.exists():
    labels = case.mask.labels
    inside = labels.copy()
    for axis, way in ((1, 1), (1, -1), (2, 1), (2, -1)):
        inside[np.roll(labels, way, axis) != labels] = 0
    sitk.WriteImage(glutseg.Mask.on(case.image, inside).to_sitk(), str(MINE))

same_level = f"slice={case.result.stored_slice_index}"  # in the order of the files
mine = glutseg.measure_mask(SERIES, MINE, labels={1: "left", 2: "right"}, level=same_level)
if mine.mask is None:
    raise SystemExit(f"not measured: {mine.result.error_code}: {mine.result.error_message}")
for name, result in (("automatic", case.result), ("mine", mine.result)):
    areas = ", ".join(f"{side} {result.area_mm2(side):.0f} mm²" for side in SIDES)
    print(f"{name:9}  {areas}")

# %% [markdown]
# **How far they agree** on the measured slice. For many cases and raters, with Bland-Altman limits and ICC,
# see `glutseg.compare_raters` and `glutseg agree`.

# %%
at = level.slice_index
spacing_mm = case.image.geometry.spacing_mm[1:]
for side, label in SIDES.items():
    both = overlap(mine.mask.labels[at] == label, case.mask.labels[at] == label, spacing_mm)
    if both is not None:
        print(f"{side}: Dice {both.dice:.3f}, mean surface distance {both.mean_distance_mm:.2f} mm")

# %% [markdown]
# **How much the level matters.** The area is measured on every slice within 15 mm of the level.

# %%
figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
colours = {"left": "#0072b2", "right": "#d55e00"}
for side in SIDES:
    for result, style, who in ((case.result, "-", "automatic"), (mine.result, "--", "mine")):
        points = result.profile_around_level(side)
        offsets_mm = [point.offset_mm for point in points]
        areas_mm2 = [point.measurement.area_mm2 for point in points]
        axes.plot(offsets_mm, areas_mm2, style, color=colours[side], label=f"{side}, {who}")
axes.axvline(0, color="grey", linewidth=0.8)
axes.set_xlabel("mm above (+) or below (-) the level")
axes.set_ylabel("area (mm²)")
axes.set_title(f"One patient around {level.name}", loc="left")
axes.legend(frameon=False)
figure.savefig("own_outlines.png", dpi=150)

points = case.result.profile_around_level("left")
change = (points[-1].measurement.area_mm2 - points[0].measurement.area_mm2) / (
    points[-1].offset_mm - points[0].offset_mm
)
area = case.result.area_mm2("left") or float("nan")
print(f"left: {change:+.1f} mm² ({change / area:+.1%}) per mm that the slice lies higher")
