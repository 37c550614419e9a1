"""
Photometric redshifts
=====================

A FITS table of magnitudes with gaps, spectra of a part: redshifts with error bars for all, written back to FITS.
"""

import subprocess
import sys

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.table import MaskedColumn, QTable, Table

import shoal
from shoal.statistics.metric_choice import metric

BANDS = {"u": 367.0, "g": 483.0, "r": 622.0, "i": 755.0, "z": 869.0, "y": 971.0}  # nm
DEPTH = {"u": 26.1, "g": 27.2, "r": 27.3, "i": 26.8, "z": 26.0, "y": 25.0}  # magnitudes at five sigma


def simulate(random: np.random.Generator, count: int) -> tuple[Table, np.ndarray]:
    """Return a catalogue of galaxies whose spectra break at 400 nm, and their redshifts.

    Magnitudes are NaN below three sigma, sizes masked where the fit of the profile failed.
    """
    redshift = random.gamma(3.0, 0.3, count)
    age = random.beta(1.2, 1.5, count)  # old galaxies are red, with a strong break
    brightness = random.normal(22.3, 0.9, count) + 1.3 * np.log1p(redshift)
    catalogue = Table({"OBJID": np.arange(1, count + 1)}, meta={"EXTNAME": "CATALOG"})
    for band, wavelength in BANDS.items():
        rest = wavelength / (1.0 + redshift)
        below = 1.0 / (1.0 + np.exp((rest - 400.0) / 12.0))
        forest = 1.0 / (1.0 + np.exp((rest - 122.0) / 4.0))
        colour = (0.3 + 1.5 * age) * (400.0 / rest - 1.0) * 0.6
        true = brightness + colour + (0.2 + 1.4 * age) * below + 2.0 * forest
        ratio = 10.0 ** (0.4 * (true - DEPTH[band])) / 5.0
        error = np.hypot(0.01, 1.0857 * ratio)
        seen = error < 1.0857 / 3.0
        measured = true + random.normal(0.0, np.minimum(error, 1.0))
        catalogue[f"mag_{band}"] = np.where(seen, measured, np.nan).astype(np.float32) * u.mag
        catalogue[f"magerr_{band}"] = np.where(seen, error, np.nan).astype(np.float32) * u.mag
    size = random.lognormal(6.3, 0.35, count) / (1.0 + redshift) ** 0.8
    failed = random.random(count) < 0.05
    catalogue["size"] = MaskedColumn(size.astype(np.int16), mask=failed, unit="mas", fill_value=-1)
    return catalogue, redshift


# %%
# Spectra were taken of a third of the galaxies; the other redshifts are NaN. What a spectrograph finds later of some of
# them stays outside the table, for the comparison at the end.
random = np.random.default_rng(3)
catalogue, redshift = simulate(random, 9_000)
has_spectrum = random.random(len(catalogue)) < 1 / 3
later = ~has_spectrum & (random.random(len(catalogue)) < 0.4)
catalogue["z_spec"] = np.where(has_spectrum, redshift, np.nan)
catalogue.write("survey.fits", overwrite=True)

# %%
# Networks with `gaussian_nll` learn mean and standard deviation of the redshift. Colours are derived when a table is
# read, also at prediction; gaps are filled in, and shown to the networks as such.
colours = {f"{one}_{two}": f"mag_{one} - mag_{two}" for one, two in zip("ugriz", "grizy", strict=True)}
network = {"hidden": (48, 48), "activation": "tanh", "learning_rate": 0.004, "epochs": 120, "batch_size": 64}
run = shoal.fit(
    "survey.fits",
    target="z_spec",
    id="OBJID",
    derive=colours,
    loss="gaussian_nll",
    coverage=0.9,
    metrics=["nmad", "outlier_fraction"],
    networks=8,
    keep=4,
    seed=0,
    out="runs/photometric_redshifts",
    force=True,
    **network,
)
for name in ("nmad", "outlier_fraction"):
    score = run.metrics["test"][name]
    print(f"{name} of the test rows: {score['value']:.4f}, 95 % interval {score['low']:.4f} to {score['high']:.4f}")

# %%
# The command line adds the columns of predictions to those of the survey, and with `--density` the probability density
# p(z) on a grid as a column of vectors; astropy reads them with their units.
command = ["predict", str(run.path), "survey.fits", "--density", "0:4:0.02", "-o", "with_z.fits", "--force", "--quiet"]
subprocess.run([sys.executable, "-m", "shoal", *command], check=True)
answers = QTable.read("with_z.fits")
for name in ("mag_i", "z_spec", "prediction", "std", "low", "high"):
    answers[name].info.format = ".3f"
shown = answers["OBJID", "mag_i", "size", "z_spec", "prediction", "std", "low", "high"][:5]
shown.pprint(max_width=-1)
assert answers["mag_i"].unit == u.mag
assert answers["size"].mask.sum() == catalogue["size"].mask.sum()
assert (answers["OBJID"] == catalogue["OBJID"]).all()

# %%
# The scores that redshifts are judged by, of galaxies without a spectrum in the fit. p(z) is the mixture of what the
# networks say. The probability integral transform (PIT) is flat where p(z) is right; the continuous ranked probability
# score (CRPS; Gneiting and Raftery, J. Am. Stat. Assoc. 102, 359, 2007) of a redshift without an error bar is its
# absolute error. The page has both of the test rows.
z_spec, z_phot, sigma = redshift[later], np.array(answers["prediction"])[later], np.array(answers["std"])[later]
dz = (z_phot - z_spec) / (1.0 + z_spec)
p_of_z = run.distribution("survey.fits").at(later)
pit, crps = (of(z_spec[:, None])[:, 0] for of in (p_of_z.cdf, p_of_z.crps))
z = np.arange(201) * 0.02
density = np.array(answers["density"])[later]
assert np.allclose(density, p_of_z.density(z)[:, 0], atol=1e-4)
inside = (np.array(answers["low"])[later] <= z_spec) & (z_spec <= np.array(answers["high"])[later])
print(f"{later.sum()} galaxies with later spectra")
print(f"sigma_NMAD        {metric('nmad')(z_spec, z_phot):.4f}")
print(f"outlier fraction  {metric('outlier_fraction')(z_spec, z_phot):.4f}")
print(f"bias, median dz   {np.median(dz):+.4f}")
score = run.metrics["crps"]["z_spec"]
interval = f"{score['low']:.4f} to {score['high']:.4f}"
print(f"mean CRPS         {crps.mean():.4f}; of the test rows {score['value']:.4f}, {interval}")
print(f"                  without error bars, mean |error|, {abs(z_phot - z_spec).mean():.4f}")
print(f"held by the 90 % intervals: {inside.mean():.1%}")

# %%
# Nearby and distant blue galaxies have the same colours: their error bars say so. The PIT has a hump, which means that
# most error bars are wider than they need be; where one normal distribution is not enough, `loss="pinball"` learns
# quantiles (:doc:`/howto/distributions`).
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
line = np.array([0.0, 3.2])
left.errorbar(z_spec, z_phot, sigma, fmt=".", ms=2, elinewidth=0.3, alpha=0.5, color="C0")
left.plot(line, line, "k-", lw=1)
for sign in (-1.0, 1.0):
    left.plot(line, line + sign * 0.15 * (1.0 + line), "k--", lw=0.7)
left.set(xlabel="z_spec", ylabel="z_phot", xlim=line, ylim=line, title="dashed: outliers, |dz| = 0.15")
for colour, place in enumerate(np.argsort(sigma)[:: len(sigma) // 4][:4]):
    middle.plot(z, density[place], color=f"C{colour}")
    middle.axvline(z_spec[place], color=f"C{colour}", ls=":", lw=1)
middle.set(xlabel="z", ylabel="p(z)", xlim=line, title="four galaxies, dotted: z_spec")
counts, edges, _ = right.hist(pit, bins=20, range=(0.0, 1.0), histtype="stepfilled", alpha=0.4)
right.axhline(len(pit) / 20, color="k", lw=1)
right.set(xlabel="PIT", ylabel="galaxies")
figure.savefig("photometric_redshifts.png", dpi=150)
print(f"The page is {run.report()}, the figure photometric_redshifts.png")
