# %% [markdown]
# # Two groups: from a folder of studies to the paper's figure
#
# Measures every study below a folder, joins the result with a table of participants and compares two
# groups. Without a folder of your own, synthetic patients with a known difference are written first. Needs
# `pip install '.[study]'`. For research use only; this is not a medical device.

# %%
import textwrap
from pathlib import Path

from matplotlib import pyplot as plt

import glutseg
from glutseg import study
from glutseg.phantom import write_cohort

EXPORT = Path("cohort")  # any folder with DICOM files of many patients
PARTICIPANTS = EXPORT / "participants.csv"  # patient_id, group, height_m, age_years, ...
OUT = Path("out")

if not EXPORT.exists():
    write_cohort(EXPORT)

# %% [markdown]
# **Run.** One row per study, also for those that could not be measured; tables, masks, pictures and a
# record are in `out/`. Two studies are measured at a time. If it stops, `resume=True` goes on.

# %%
run = glutseg.run_folder(EXPORT, OUT, participants=PARTICIPANTS, jobs=2)
table = run.frame()  # measurements.csv as a pandas table
print(table["status"].value_counts().to_string())
shown = table[["patient_id", "area_left_mm2", "area_right_mm2", "height_m", "flags"]]
print(shown.fillna("").to_string(index=False))

# %% [markdown]
# **Look at those with the status `review`** (`glutseg review out` opens them one after the other), and at
# what failed and why.

# %%
for result in run.results:
    if result.status != "ok":
        flags = [str(flag) for flag in result.all_flags if flag.severity == "review"]
        print(result.case_id, result.status, result.error_code, *flags)

# %% [markdown]
# **Compare.** By default the mean area of both sides divided by height; Welch's t test, effect sizes with
# intervals, correlations, models, and how much of the result rests on how it was measured.

# %%
found = glutseg.compare_groups(run, PARTICIPANTS, "group", correlates=["visits"], covariates=["age_years"])
for line in study.summary(found):
    print(textwrap.fill(line, 100))
welch = found.comparison.welch
print(f"difference {welch.difference:.0f} mm²/m, p = {welch.p:.3g}")

# %% [markdown]
# **The paper's figure**, and everything else as files: figures as SVG and PNG, tables as CSV.

# %%
study.write_study(OUT / "study", found)
figure = study.draw(found)["groups"]
figure.savefig("two_groups.png", dpi=150)
plt.figure(figsize=(8, 5), layout="constrained")
plt.imshow(plt.imread("two_groups.png"))
plt.axis("off")
