"""Settings of the segmentation: how network, image and edges are brought together."""

from __future__ import annotations

from glutseg.settings.base import Angle, Length, Settings, Share, Weight


class SegmentationSettings(Settings):
    """How network, image and edges are brought together.

    Chosen on patients that the network in question had never seen (docs/explanation/method.md).
    """

    reach_mm: Length = 20.0
    """Fat, muscle and edges are looked at this far above and below the measured slice: the usual profile and
    5 mm beyond. A plane that is invisible in one slice shows in its neighbours."""
    max_roll_degrees: Angle = 5.0
    """The network sees patients who are rolled farther straight, as most of those it was trained on. Chosen:
    without it the area of a muscular patient is 5 % too small at 9 degrees, 10 % at 20 and 15 % at 40."""
    prior_weight: Weight = 0.5
    """Of the network's log-odds against those of the tissue. Below 1, because neighbouring pixels of a
    network err together; 0.25 and 1 change the Dice by 0.002."""
    least_spread: Share = 0.12
    """Of one tissue's density, as a share of the fat-to-muscle difference: what texture alone makes."""
    outlier_share: Share = 0.05
    """Of pixels that are neither fat nor muscle, whatever the network says."""
    background_fat: Share = 0.85
    """Share of fat in what is no muscle and no bone near the muscles; the rest is skin, fascia, vessels."""

    spur_mm: Length = 3.0
    """Twice this is the least width of a muscle: thinner ends are fascia, skin or tendon. With 4 mm 2 % of
    the area of two patients is lost; with 2 mm 3 % of a third's is fascia lata."""

    plane_mm: Length = 1.5
    """Fat between two muscles up to twice this wide is a plane that they share; wider, it is a fat pad."""
    streak_mm: Length = 4.0
    """Fat streaks of the gluteus maximus up to twice this wide lie inside its fascia."""

    border_cost_even: Weight = 1.0
    """Of a border between two regions through even tissue, per mm² (the unit of the other costs)."""
    border_cost_plane: Weight = 0.01
    """Along a visible fat plane, or in fat: so little that a long plane with gaps is cheaper than a short way
    through muscle."""
    plane_contrast: Share = 0.06
    """Strength of a dark line, as a share of the fat-to-muscle difference, that counts as a plane..."""
    plane_noises: Weight = 3.0
    """...unless the noise makes lines of that strength: then so many of its spreads above its median."""
    plane_darkness: Share = 0.45
    """Darkness, as a share of the same difference, that counts as fat."""
    plane_sharpness: Weight = 4.0
    """How suddenly a plane begins to count: low values let noise cheapen even tissue."""
    network_cost: Weight = 0.005
    """Per mm³ that contradicts the network: 2 cm² of it weigh as much as 1 mm of border in even tissue. 0.003
    to 0.01 give the same; from 0.0125 on a network wrong about a whole end outweighs a visible plane."""
    network_sure_odds: Weight = 2.0
    """Log-odds from which on the network's word counts fully."""
    fat_cost: Weight = 0.02
    """Per mm³ of fat taken in."""
    between_slices: Weight = 0.35
    """Cost of a border between slices, against one within them: the muscles slope."""
    core_mm: Length = 5.0
    """So far within the network's border the muscle is a seed."""
    far_mm: Length = 60.0
    """So far beyond it there is none."""
    bed_mm: Length = 8.0
    """What the network calls medius and lies so near to bone or minimus is none either: without it the edges
    take the whole medius where they see no plane. Behind the hip the maximus keeps farther off."""
    perturbation_cost: Weight = 0.01
    """Per mm³: the edges are asked again with leaving muscle out dearer and cheaper by so much: twice what
    the network's word weighs. With 0.02 the dearer one takes the medius where nothing is wrong."""
    perturbation_reach_mm: Length = 12.0
    """Around the measured slice."""
