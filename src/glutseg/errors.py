"""Errors and flags: everything glutseg may say about a study, each with a stable code.

An *error* means that there is no number. A *flag* stands beside a number: ``note`` tells a fact,
``review`` asks a person to look before the number is used. docs/reference/flags.md is checked against
`CODES` by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

Severity = Literal["note", "review", "error"]


@dataclass(frozen=True)
class Code:
    """What a code means and what the user can do about it."""

    severity: Severity
    meaning: str
    remedy: str


CODES: dict[str, Code] = {
    # input
    "input-missing": Code("error", "The input path does not exist.", "Check the path."),
    "input-empty": Code(
        "error", "The input holds no DICOM file.", "Point at the folder that holds the images."
    ),
    "input-ambiguous": Code("error", "The input holds several studies.", "Point at the folder of one study."),
    "no-ct": Code("error", "The study has no CT image series.", "Export the CT series of the study."),
    "no-usable-series": Code(
        "error",
        "No CT series of the study can be measured; the reason for each is in the case's record.",
        "Export an axial soft-tissue series that covers the hips.",
    ),
    "no-pixel-data": Code(
        "error", "The images carry no pixels.", "Export the study again with its pixel data."
    ),
    "pixel-data-undecodable": Code(
        "error",
        "The pixels cannot be decoded.",
        "Export the study again, uncompressed, or repair the files named.",
    ),
    "geometry-missing": Code(
        "error",
        "Pixel spacing, image position or orientation is missing, so no area can be known.",
        "Export the original images, not captures of the screen.",
    ),
    "geometry-irregular": Code(
        "error", "The slices do not form one regular stack.", "Export one reconstruction with all its slices."
    ),
    "rescale-missing": Code(
        "error", "The rescale to Hounsfield units is missing.", "Export the original CT images."
    ),
    "geometry-mismatch": Code(
        "error", "Image and mask are on different grids.", "Use the series the mask was made on."
    ),
    "image-too-large": Code("error", "The header states absurd dimensions.", "Repair or exclude the file."),
    "file-unreadable": Code(
        "note", "A file could not be read and was left out.", "See the scan for its name."
    ),
    "series-gap": Code(
        "note",
        "Slices are missing or the spacing changes, away from the level unless another flag says so.",
        "None needed as a rule; export the whole series if other levels are wanted.",
    ),
    "level-in-gap": Code(
        "error",
        "The images at the level are missing.",
        "Export the whole series, or choose another level.",
    ),
    "level-moved": Code(
        "review",
        "The image at the level is missing; the nearest one was measured.",
        "Read the area as that of the slice named, or export the whole series.",
    ),
    "profile-incomplete": Code(
        "review",
        "Images are missing, or the series ends, within the profile around the level.",
        "Check the level in the overlay; the slab areas rest on the slices that are there.",
    ),
    "slice-duplicate": Code(
        "note",
        "Several images lie at one position; the first by instance number was kept.",
        "None needed as a rule.",
    ),
    "series-mixed": Code(
        "note", "The series mixes images of several kinds; the largest stack was used.", "Check the series."
    ),
    "lossy-compressed": Code(
        "note",
        "The pixels were compressed with loss at some time; HU and areas of thin structures may differ a little.",
        "Prefer an export without loss; do not mix both in one study.",
    ),
    "pixel-bits-stray": Code(
        "review",
        "Pixels hold bits that the header does not count as theirs.",
        "Check the picture for specks or written-over text.",
    ),
    "rescale-varies": Code(
        "note",
        "The slices differ in their rescale to Hounsfield units; each was read by its own.",
        "Check that no slice of the picture is brighter or darker than its neighbours.",
    ),
    "slice-odd": Code(
        "review",
        "A slice differs from both its neighbours as no slice of a scan does; it may be damaged.",
        "Look at the slice; export the study again.",
    ),
    "uid-missing": Code(
        "note", "Files have no study or series UID; folders tell them apart.", "None needed as a rule."
    ),
    "slices-thick": Code(
        "review", "Slices are thicker than the protocol asks for.", "Prefer a thinner reconstruction."
    ),
    "kernel-sharp": Code(
        "review", "Only a sharp (bone or lung) reconstruction was there.", "Prefer a soft-tissue kernel."
    ),
    "gantry-tilt": Code(
        "review",
        "The slices are tilted against the patient's long axis by 3 degrees or more.",
        "Read the area as one of a tilted slice; area_*_axial_mm2 estimates that of an axial one.",
    ),
    # anatomy and level
    "hips-not-found": Code(
        "error", "No pair of hips was recognised in the series.", "Choose a series that shows the pelvis."
    ),
    "orientation-contradicted": Code(
        "error",
        "The bones lie the other way round than the header says, so left and right cannot be trusted.",
        "Correct the patient position of the series, or export it again.",
    ),
    "level-outside": Code(
        "error", "The series ends before the level asked for.", "Choose another level or a longer series."
    ),
    "landmark-not-found": Code(
        "error",
        "The landmark of this level could not be found.",
        "Choose another level or give z or slice by hand.",
    ),
    "level-one-sided": Code("review", "The level rests on one side only.", "Check the level in the overlay."),
    "level-doubtful": Code("review", "The landmark is doubtful.", "Check the level in the overlay."),
    "hip-assumed": Code(
        "review",
        "One hip was not seen; its place is the other one's mirror image.",
        "Check the level and the outline of that side in the overlay.",
    ),
    "hips-doubtful": Code(
        "review",
        "What was taken for the hips does not look quite like hips.",
        "Check in the overlay that the level is at the hips.",
    ),
    "pelvis-tilted": Code(
        "review",
        "The two hips lie at clearly different heights.",
        "Use the mean of both sides, not one side.",
    ),
    "metal": Code("note", "Metal lies within the hips.", "Check the borders near the metal."),
    "metal-streaks": Code("review", "Metal streaks cross the muscle.", "Check the outline in the overlay."),
    # segmentation
    "muscle-not-found": Code("error", "The gluteus maximus was not found.", "Outline it by hand."),
    "muscle-cut-by-fov": Code(
        "review",
        "The muscle touches the edge of the picture.",
        "The area is a lower bound; use a wider field of view.",
    ),
    "muscle-incomplete": Code(
        "note",
        "The series ends before the muscle does, so its volume is not known.",
        "Use a series that shows the muscle from the iliac crest to the thigh.",
    ),
    "outline-doubtful": Code(
        "review",
        "Part of the outline is decided by what is usual, not by what the picture shows.",
        "Check the border to the gluteus medius.",
    ),
    "other-muscle-doubtful": Code(
        "review",
        "Outlines of gluteus medius and minimus are not sure enough to go unseen; the maximus is not concerned.",
        "Check those outlines in the overlay before their figures are used.",
    ),
    "muscle-fatty": Code(
        "review",
        "So much of the muscle is fat that its outline is uncertain.",
        "Check the outline in the overlay.",
    ),
    "edge-invisible": Code(
        "review", "Much of the outline lies on no visible edge.", "Check the border to the gluteus medius."
    ),
    "outline-repaired": Code(
        "review",
        "Much of the outline was closed over notches or freed of spurs.",
        "Check the outline in the overlay: the fascia may run elsewhere.",
    ),
    "slices-disagree": Code(
        "review",
        "The area jumps between neighbouring slices.",
        "Check the outline at the level and next to it.",
    ),
    "sides-differ": Code("review", "Left and right differ more than is usual.", "Check both outlines."),
    "size-implausible": Code("review", "The area is outside what is known of adults.", "Check the outline."),
    "density-implausible": Code(
        "review", "The density is not that of muscle.", "Check the outline and the rescale."
    ),
    # growing by hand
    "series-ambiguous": Code(
        "error",
        "The input holds several series.",
        "Name one with --series; `glutseg scan --json` lists them.",
    ),
    "series-unknown": Code(
        "error", "No series has the UID asked for.", "See `glutseg scan --json` for the UIDs."
    ),
    "seed-invalid": Code(
        "error", "The seed does not name one pixel.", "Give it as X,Y,Z, or as X,Y with --z-mm."
    ),
    "seed-outside": Code("error", "The seed lies outside the image.", "Give whole pixels, counted from 0."),
    "bounds-missing": Code(
        "error", "The method needs a lower and an upper bound.", "Give --lower and --upper in HU."
    ),
    "bounds-reversed": Code("error", "The lower bound is above the upper one.", "Exchange them."),
    "growing-invalid": Code(
        "error", "The method or one of its parameters cannot be used.", "See `glutseg grow --help`."
    ),
    "region-empty": Code(
        "error",
        "Nothing grew: the seed does not qualify itself.",
        "Choose another seed, wider bounds or a smaller radius.",
    ),
    # height
    "height-missing": Code(
        "note", "No height is known; the indices are empty.", "Give a participants table."
    ),
    "height-implausible": Code(
        "note", "The height is outside 0.9 to 2.3 m and was refused.", "Correct it in the participants table."
    ),
    "height-conflict": Code(
        "note",
        "The participants table and the header name heights more than 3 cm apart; the table's was used.",
        "Check that the row is this patient's.",
    ),
    # agreement between raters
    "reference-invalid": Code(
        "error",
        "A reference to compare with cannot be used.",
        "Correct what is named; docs/how-to/agree.md tells what a reference may be.",
    ),
    "agree-one-rater": Code(
        "error",
        "Agreement needs two raters, and a run agrees with itself in any case.",
        "Name another run, a reviewer, a folder of masks or a table of areas.",
    ),
    "agree-nothing-shared": Code(
        "error",
        "The raters have no case in common.",
        "Check that both name the same cases, by case id, study or patient id.",
    ),
    "agree-case-missing": Code(
        "note", "A rater has no reading of some cases.", "Read n beside every figure; complete the readings."
    ),
    "agree-case-unknown": Code(
        "note", "A reference names cases that the run does not have.", "Check the names if more was expected."
    ),
    "agree-side-missing": Code(
        "note",
        "A rater did not outline this side on the slice compared; its overlap is unknown, not zero.",
        "Outline it, or check which slice was outlined.",
    ),
    "agree-grid-differs": Code(
        "note",
        "Two masks lie on different grids: areas are compared, outlines are not.",
        "Export the mask on the grid of the series that was measured.",
    ),
    "agree-level-differs": Code(
        "note",
        "The raters measured different slices: their areas differ by the level as well.",
        "Read the overlap as that of the first rater's slice.",
    ),
    "agree-sides-swapped": Code(
        "review",
        "Left of the one rater is right of the other.",
        "Check the labels of the mask: 1 is the patient's left.",
    ),
    "agree-not-independent": Code(
        "note",
        "A rater worked on the automatic outline, so that agreement with it is better than of two who do not know each other.",
        "Say so where it is published; outline some cases anew for an independent figure.",
    ),
    "agree-few-cases": Code(
        "note",
        "There are few cases; below 3 nothing can be estimated, and below 30 the intervals are wide.",
        "Quote the intervals, or read more cases.",
    ),
    "agree-constant": Code(
        "note",
        "The readings do not differ between cases, so that no correlation is defined.",
        "Check the readings.",
    ),
    "agree-patients-repeated": Code(
        "note",
        "Some patients have several studies; the intervals take all studies for independent.",
        "Compare one study per patient.",
    ),
    # to and from other programs
    "exchange-missing": Code(
        "error",
        "What is needed to write DICOM objects is not installed.",
        "Install it with `pip install 'glutseg[dicom]'`.",
    ),
    "export-pseudonymised": Code(
        "error",
        "The run has pseudonyms, and DICOM objects would name the patient again.",
        "Export NIfTI or NRRD, or run without --pseudonymise.",
    ),
    "slice-not-read": Code(
        "error",
        "The slice was not read: of a long series only the slices around the hips are.",
        "Measure a slice that was read, or read the whole series with `glutseg.load`.",
    ),
    "image-invalid": Code(
        "error",
        "What was given is not a CT image.",
        "Give a CtImage, a SimpleITK image in HU, or an array (z, y, x) in HU with spacing_mm.",
    ),
    "export-unsuited": Code(
        "error",
        "The case cannot be told in this format.",
        "See what the message names; NIfTI and NRRD ask least of the images.",
    ),
    "mask-unreadable": Code(
        "error",
        "The file is no mask that can be read.",
        "Give NIfTI, NRRD, DICOM SEG or RTSTRUCT, whole and with one frame in time.",
    ),
    "mask-unplaceable": Code(
        "error",
        "The mask does not say, or not clearly, where it lies in the patient.",
        "Export it again with its geometry (NIfTI with sform or qform, contours in the planes of the slices).",
    ),
    "mask-elsewhere": Code(
        "error",
        "The mask lies in another frame of reference, or nowhere in the images.",
        "Use the series it was made on, or one of the same scan.",
    ),
    "mask-empty": Code(
        "error",
        "The mask has no pixel of what is to be measured.",
        "Check the label, and whether the outline was saved.",
    ),
    "labels-unknown": Code(
        "error",
        "Which label is which muscle cannot be told.",
        "Say it: --label NAME=left --label NUMBER=right, or --labels totalsegmentator.",
    ),
    "mask-sides-contradicted": Code(
        "error",
        "What is called left lies to the patient's right of what is called right.",
        "Exchange the labels, or correct the mask's geometry.",
    ),
    "mask-side-doubtful": Code(
        "review",
        "The only side that is outlined lies on the other side of the body than its name says.",
        "Check left and right in the overlay.",
    ),
    "other-outliner": Code(
        "note",
        "The outline is another program's, which glutseg ran, and was measured as glutseg's own is.",
        "Look at the overlay, or compare with a run of glutseg's own (`glutseg agree`): nothing tells how sure it is.",
    ),
    "outliner-unknown": Code(
        "error",
        "There is no such outliner, or not with these options.",
        "See `glutseg run --help`.",
    ),
    "outliner-failed": Code(
        "error",
        "The other program did not outline the muscles.",
        "Try the study with that program alone; if that works as well as not, report it with the message.",
    ),
    "weights-missing": Code(
        "error",
        "The weights of the network are not there, and glutseg downloads nothing.",
        "Download them once with `totalseg_download_weights -t total`.",
    ),
    "mask-given": Code(
        "note",
        "The outline is not glutseg's: it was given, and measured as it is.",
        "None needed as a rule.",
    ),
    "mask-resampled": Code(
        "note",
        "The mask was on another grid and was brought to that of the images, nearest voxel by nearest.",
        "Areas are those of the images' pixels; use a mask on the grid of the series if it matters.",
    ),
    "lines-on-centres": Code(
        "note",
        "The contours run through the centres of pixels, as rt-utils and OpenCV draw them; those pixels count as inside.",
        "None needed as a rule.",
    ),
    "mask-frame-unknown": Code(
        "note",
        "The mask names no frame of reference; that it belongs to these images rests on its coordinates.",
        "Check the outline in the overlay.",
    ),
    "mask-cut": Code(
        "review",
        "Part of the mask lies outside the images.",
        "Check that the mask is of this patient and scan.",
    ),
    "roi-invalid": Code(
        "error",
        "The file is no export of ROIs that can be read.",
        "Export from OsiriX or Horos with the plug-in ExportROIs, as CSV or XML.",
    ),
    "roi-elsewhere": Code(
        "error", "The ROIs were drawn on other images.", "Name the series they were drawn on."
    ),
    "roi-values-differ": Code(
        "review",
        "OsiriX's own area or mean of the ROI is another than that of its points on these images.",
        "Check that the ROIs belong to this very series.",
    ),
    # configuration and run
    "protocol-invalid": Code("error", "The protocol is not valid.", "Correct the key named."),
    "protocol-unknown": Code("error", "There is no protocol of that name.", "See `glutseg protocols`."),
    "participants-invalid": Code("error", "The participants table cannot be used.", "Correct what is named."),
    # the study
    "groups-invalid": Code(
        "error",
        "The group column does not give two groups to compare.",
        "Name a column with two groups, or choose two of them with --groups FIRST,SECOND.",
    ),
    "study-too-small": Code(
        "error",
        "Too few patients with a value for a comparison.",
        "Check what did not match and which patients were not measured; three per group are the least.",
    ),
    "value-unknown": Code(
        "error",
        "The run has no such column of numbers.",
        "Choose one of measurements.csv; docs/how-to/study.md.",
    ),
    "value-constant": Code(
        "error", "All patients have the same value, so nothing can be compared.", "Choose another column."
    ),
    "patient-repeated": Code(
        "error",
        "A patient was measured more than once, and it is not said which study counts.",
        "Name the studies that count by case_id in the participants table.",
    ),
    "model-singular": Code(
        "error",
        "The linear model cannot tell its terms apart, or has more of them than patients.",
        "Leave out covariates that say the same thing as the group or as each other.",
    ),
    "extra-missing": Code(
        "error",
        "A part of glutseg that is installed on demand is missing.",
        "Install it as the message says.",
    ),
    "key-invalid": Code(
        "error",
        "The key for pseudonyms cannot be used.",
        "Name a key file that --pseudonymise wrote, or a new one outside of the output folder.",
    ),
    "output-exists": Code(
        "error",
        "The output folder holds another run's output.",
        "Choose another folder, or use --resume or --overwrite.",
    ),
    "resume-differs": Code(
        "error",
        "The run to go on with was another: its table would mix two kinds of numbers.",
        "Go on with what the first run had, or choose another folder or --overwrite.",
    ),
    "worker-died": Code(
        "error",
        "The process that measured the study ended twice, without a word; or the cluster lost worker after worker with it.",
        "A decoder may have crashed or memory run out; try the study alone, or export it again.",
    ),
    "pacs-address-invalid": Code(
        "error",
        "The address of the server is not dicomweb+https://HOST[:PORT]/ROOT.",
        "Write it so; user and password go into the environment or a netrc (docs/how-to/pacs.md).",
    ),
    "pacs-insecure": Code(
        "error",
        "Images and passwords would cross a network without encryption.",
        "Use dicomweb+https://; `--insecure-http` only on a network that you trust as a whole.",
    ),
    "pacs-query-invalid": Code(
        "error",
        "What to search for cannot be understood.",
        'Write `--query "StudyDescription=*PELVIS*"` with a keyword of the DICOM dictionary.',
    ),
    "pacs-query-ignored": Code(
        "note",
        "The server also sent studies that do not match the query; they were left out.",
        "Ask its administrator which keys it searches by.",
    ),
    "pacs-credentials-unreadable": Code(
        "error",
        "User, password or token cannot be read.",
        "Set GLUTSEG_DICOMWEB_USER and _PASSWORD, or _TOKEN, or repair the netrc.",
    ),
    "pacs-refused": Code(
        "error",
        "The server wants other credentials, or does not allow this (401, 403).",
        "Check user, password or token, and the account's rights; then `--retry failed`.",
    ),
    "pacs-gone": Code(
        "error",
        "The server does not have what was asked for (404, 410).",
        "Check the root in the address, and whether the study is still there; then `--retry failed`.",
    ),
    "pacs-failed": Code(
        "error",
        "The server could not answer.",
        "Look into its log; a narrower `--query` may do; then `--retry failed`.",
    ),
    "pacs-unreachable": Code(
        "error",
        "There is no connection to the server, or no whole answer in time, after all attempts.",
        "Go on with `--retry failed` when it is there again.",
    ),
    "pacs-untrusted": Code(
        "error",
        "The server's certificate cannot be verified.",
        "Give the certificates of your hospital's authority with `--ca FILE`.",
    ),
    "pacs-redirected": Code(
        "error",
        "The server sent a request to another place, where credentials and images must not go.",
        "Give the address of that place, if you trust it.",
    ),
    "pacs-answer-invalid": Code(
        "error",
        "What the server sent is not what was asked for: cut short, too long, or not of this study.",
        "Check that the address is that of DICOMweb; look into the server's log.",
    ),
    "pacs-incomplete": Code(
        "error",
        "The server gives some of its results and no way to the others.",
        "Narrow the `--query`, for instance by StudyDate.",
    ),
    "pacs-store-failed": Code(
        "error",
        "The server did not confirm that it keeps the objects.",
        "Look into its log, then run `glutseg export OUT --format sr --store ADDRESS`.",
    ),
    "cluster-missing": Code(
        "error",
        "What is needed for Dask clusters is not installed.",
        "Install it with `pip install 'glutseg[cluster]'`.",
    ),
    "scheduler-unreachable": Code(
        "error",
        "The cluster's scheduler does not answer, or it went away.",
        "Check its address and that it runs; what is done is kept, --resume goes on.",
    ),
    "worker-differs": Code(
        "error",
        "A worker of the cluster, or its scheduler, has other versions than this program, or cannot run it.",
        "Use one environment or image everywhere; what is done is kept, --resume goes on.",
    ),
    "worker-blind": Code(
        "error",
        "A worker of the cluster does not see a folder that it must share.",
        "Mount the input and OUT under the same paths everywhere, the output writable.",
    ),
    "study-timeout": Code(
        "error", "The study took longer than allowed.", "Use a longer --timeout-minutes and --retry failed."
    ),
    # review by people
    "case-rejected": Code(
        "error",
        "A reviewer rejected the measurement; the reason is theirs.",
        "See reviews.csv; a reviewer can take the decision back.",
    ),
    "reviewers-differ": Code(
        "review",
        "Several reviewers looked at the case and did not all simply accept it; the automatic values stand.",
        "Agree, or choose whose decisions count: `glutseg collate OUT --reviewer NAME`.",
    ),
    "review-stale": Code(
        "review",
        "The case was measured again after it was reviewed, with another result; the review does not count.",
        "Review the case again.",
    ),
    "review-unreadable": Code(
        "review",
        "The record of a review cannot be read; the automatic values stand.",
        "Repair the file named or remove it, and review the case again.",
    ),
    "reviews-present": Code(
        "error",
        "The output folder holds people's reviews.",
        "Use --resume, another folder, or --keep-reviews: they stay, and count where the result is the same.",
    ),
    "reviewer-unknown": Code(
        "error", "Nobody of that name has reviewed the run.", "See the column `reviewer` of reviews.csv."
    ),
    "decision-invalid": Code(
        "error", "The decision cannot be taken like that.", "Do what the message says is missing."
    ),
    "images-not-found": Code(
        "error",
        "The images the case was measured on are not where they were.",
        "Name their folder with --input, and the key with --pseudonymise if the run has pseudonyms.",
    ),
    "viewer-missing": Code(
        "error",
        "The viewer cannot be opened.",
        "Install it (pip install 'glutseg[viewer]') where there is a screen.",
    ),
    "output-foreign": Code(
        "error",
        "The output folder holds files of these names that are not glutseg's.",
        "Choose another folder.",
    ),
    "output-unwritable": Code(
        "error", "The output cannot be written.", "Check the disk's space and permissions."
    ),
    "internal-error": Code(
        "error", "glutseg failed in a way it did not foresee.", "Report it with the case's record."
    ),
}


class GlutsegError(Exception):
    """An error with a stable code; the message says what was found and where.

    Parameters
    ----------
    code : a key of `CODES`
    message : what was found
    where : the file, series or slice it was found in
    """

    def __init__(self, code: str, message: str, where: str = "") -> None:
        if code not in CODES:
            msg = f"unknown code {code!r}"
            raise KeyError(msg)
        self.code = code
        self.message = message
        self.where = where
        super().__init__(f"{code}: {message}" + (f" [{where}]" if where else "") + f" - {CODES[code].remedy}")

    def __reduce__(self) -> tuple[type[GlutsegError], tuple[str, str, str]]:
        return type(self), (self.code, self.message, self.where)  # crosses process borders


@dataclass(frozen=True)
class Flag:
    """A doubt or a fact about a measured study.

    Attributes
    ----------
    code : a key of `CODES`
    message : what was found, with its figures
    side : "left", "right", or "" where it concerns both
    """

    code: str
    message: str
    side: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            msg = f"unknown code {self.code!r}"
            raise KeyError(msg)

    @property
    def severity(self) -> Severity:
        """``review``: look before the number is used; ``note``: a fact."""
        return CODES[self.code].severity

    @property
    def meaning(self) -> str:
        """What the code means, whatever the study."""
        return CODES[self.code].meaning

    @property
    def remedy(self) -> str:
        """What can be done about it."""
        return CODES[self.code].remedy

    def __str__(self) -> str:
        return f"{self.code}:{self.side}" if self.side else self.code


def require_extra(extra: str, *modules: str) -> None:
    """Refuse to begin where an extra is not installed.

    Raises
    ------
    GlutsegError
        ``extra-missing``, with the command that installs it.
    """
    lacking = [name for name in modules if find_spec(name) is None]
    if lacking:
        message = f"{', '.join(lacking)} not installed; pip install 'glutseg[{extra}]'"
        raise GlutsegError("extra-missing", message)
