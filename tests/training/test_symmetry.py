import numpy as np
import torch

from morpholaw.cells.orientations import COUNT, orient
from morpholaw.config import EncoderConfig
from morpholaw.models.symmetry import kinds, transform_latents
from morpholaw.training.encoder import encode, train_encoder

SMALL = EncoderConfig(
    latents=8,
    filters=(8, 16),
    hidden=64,
    epochs=150,
    epoch_crops=0,
    batch_size=64,
    learning_rate=3e-3,
    beta=1,
    texture=0,
    edge_weight=1,
    threads=1,
)


def blobs(n=128, size=16, seed=0):
    """Blobs of any size and place, uint8 (n, size, size), and their place from the centre, (n, 2): x and y."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    dy, dx, radius = (rng.uniform(*limits, (n, 1, 1)) for limits in ((-3, 3), (-3, 3), (1.5, 4)))
    images = (255 * np.exp(-((x - dx) ** 2 + (y - dy) ** 2) / radius**2)).astype(np.uint8)
    return images, np.hstack([dx[:, 0], dy[:, 0]])


def strayed(model, images):
    """What the latents are off in the other seven orientations, as a share of their variance."""
    means = torch.from_numpy(encode(model, images)[0])
    errors = [
        (torch.from_numpy(encode(model, orient(images, k).copy())[0]) - transform_latents(means, k)).square()
        for k in range(1, COUNT)
    ]
    return float(torch.stack(errors).mean() / means.var(0).mean())


def test_a_turned_cell_has_turned_latents_where_that_is_asked_for():
    images, _ = blobs()
    asked, not_asked = (
        train_encoder(images, SMALL.model_copy(update={"symmetry": on}))[0] for on in (True, False)
    )
    unseen, place = blobs(64, seed=1)
    assert strayed(asked, unseen) < 0.05
    assert strayed(not_asked, unseen) > 1
    # where a blob lies is told by the pair of latents that turn with it, along x and along y
    along = encode(asked, unseen)[0][:, [kind == "direction" for kind in kinds(8)]]
    told = [[abs(np.corrcoef(latent, axis)[0, 1]) for axis in place.T] for latent in along.T]
    np.testing.assert_allclose(told, np.eye(2), atol=0.3)
