"""Examples for the help of every command; `-h` shows them and docs/reference/cli.md prints them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "scan": ("glutseg scan EXPORT", "glutseg scan EXPORT --json > series.json"),
    "run": (
        "glutseg run EXPORT -o OUT",
        "glutseg run EXPORT -o OUT --participants heights.xlsx --jobs 4",
        "glutseg run EXPORT -o OUT --jobs 4 --resume",
        "glutseg run EXPORT -o OUT --lenient && glutseg report OUT",
    ),
    "status": ("glutseg status OUT", "glutseg status OUT --json"),
    "review": ("glutseg review OUT", "glutseg review OUT --reviewer anna"),
    "collate": ("glutseg collate OUT", "glutseg collate OUT --reviewer anna"),
    "report": ("glutseg report OUT", "glutseg report OUT -o page.html --title 'Back pain'"),
    "study": (
        "glutseg study OUT --participants groups.xlsx --group group",
        "glutseg study OUT --participants groups.csv --group arm --covariate age",
    ),
    "agree": (
        "glutseg agree OUT --reference OTHER",
        "glutseg agree OUT --reference reviewer:anna --reference areas.csv",
    ),
    "export": (
        "glutseg export OUT --format seg,sr",
        "glutseg export OUT -f nifti -o masks",
    ),
    "measure": (
        "glutseg measure SERIES --mask mask.nii.gz --label 1=left --label 2=right",
        "glutseg measure SERIES --mask seg.dcm --labels totalsegmentator",
    ),
    "import-osirix": ("glutseg import-osirix rois.csv SERIES -o OUT",),
    "protocols": ("glutseg protocols", "glutseg protocols si-joint-end > own.toml"),
    "phantom": ("glutseg phantom FOLDER --patients 3", "glutseg phantom FOLDER --cohort"),
    "grow": ("glutseg grow SERIES --seed 210,330,12 --interval 100",),
}
"""By command, lines as they are typed into a shell."""


def examples(command: str) -> str:
    """The last lines of a command's help."""
    return "\n".join(("Examples:", *(f"  {line}" for line in EXAMPLES[command])))
