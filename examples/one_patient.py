# %% [markdown]
# # One patient, step by step
#
# From a folder of DICOM files to areas in mm² and a picture, with every stage in your own hands. Run it
# with `python one_patient.py`, or open it as the notebook of the same name. For research use only; this is
# not a medical device.

# %%
from pathlib import Path

import SimpleITK as sitk
from matplotlib import pyplot as plt

import glutseg

SERIES = Path("sample_dicom/PHANTOM-0001")  # a folder with the CT of one patient

# %% [markdown]
# **Read.** The series that suits best is taken; `image.hu` is an array (z, y, x) in Hounsfield units, from
# the feet to the head and from the patient's right to the left, and `image.geometry` knows where every voxel
# lies.

# %%
image = glutseg.load(SERIES)
print(image)

# %% [markdown]
# **Choose the level** by a landmark, by height (`"z=-512.5"`) or by slice (`"slice=41"`).

# %%
level = glutseg.find_level(image, "femoral-head-top")
print(f"{level.name}: slice {level.slice_index}, z = {level.z_mm:.1f} mm")

# %% [markdown]
# **Segment**, then **measure** on that slice. The area is all that lies inside the fascia; lean and fat
# (intermuscular, IMAT) are its parts by density. What is uncertain stands beside the outlines.

# %%
found = glutseg.segment(image, level)  # found.mask: 1 is the patient's left, 2 the right
print(found)
sides = glutseg.measure(image, found, level)
for side, one in sides.items():
    print(
        f"{side:5}  area {one.area_mm2:.0f} mm²  lean {one.lean_area_mm2:.0f} mm²  "
        f"fat {one.imat_area_mm2:.0f} mm²  {one.mean_hu:.0f} ± {one.sd_hu:.0f} HU"
    )

# %% [markdown]
# **Look at it.** Check the outline before you use a number.

# %%
figure, axes = plt.subplots(figsize=(9, 6.5), facecolor="black", layout="constrained")
glutseg.plot_overlay(image, found, level, axes)
left, right = (sides[side].area_mm2 for side in ("left", "right"))
axes.set_title(f"right {right:.0f} mm², left {left:.0f} mm²", color="white")
figure.savefig("one_patient.png", dpi=120)

# %% [markdown]
# **All in one step.** `measure_study` does all of the above, as `glutseg run` does: the same areas to the
# pixel, and the quality flags that a careful reader should look at before the number is used.

# %%
case = glutseg.measure_study(SERIES)
print(case)
for flag in case.flags:
    print(f"{flag.severity}: {flag} - {flag.message}\n  what to do: {flag.remedy}")
for record in case.result.muscles:
    print(f"{record.muscle} {record.side}: ± {record.error_bound_percent:.0f} % (90 % bound)")

# %% [markdown]
# **Take it elsewhere.** The mask keeps its geometry as a SimpleITK image; 3D Slicer and ITK-SNAP open the
# file.

# %%
sitk.WriteImage(found.to_sitk(), "one_patient.nii.gz")
