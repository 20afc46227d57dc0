"""The page that comes with a prior and says what it is, what it learned from, and what it must not be used for."""

import json
from collections.abc import Mapping
from typing import Any

from apu.prior.contact_prior import ContactPrior

_TEXT = """# Contact prior for {body}

A diffusion model over the bodies of two people in contact: pose and shape of both, and how one stands to the other. It
was trained by `apu train`; `apu.prior` explains every part.

- body model: `{body}`
- rows of {size} numbers in A's root frame, predicted as x0; {steps} diffusion steps
- {numbers:,} learned numbers; transformer encoder, {layers} layers, {width} wide, {heads} heads
- reads: {reads}

## Training

```json
{training}
```

## Limits

- It knows what its training pairs show, and nothing else. Pairs that a fit made carry the errors of the fit.
- It knows no gravity: a pair is the same to it however it is turned, but for the camera's up, where it is told.
- Its samples may penetrate each other, and no one has checked them for bias of age, body shape or sex.
"""


def model_card(prior: ContactPrior, training: Mapping[str, Any]) -> str:
    """Markdown.

    Args:
        prior: that it describes.
        training: facts; must be writable as JSON.
    """
    network = prior.network.settings
    reads = {
        "initial estimates": network.initial,
        f"up to {network.contacts} contacts": network.contacts > 0,
        "the camera's up": network.tilt,
        "whence the camera looks": network.view,
    }
    return _TEXT.format(
        body=prior.representation.body_model,
        size=prior.representation.size,
        steps=prior.schedule.steps,
        numbers=prior.parameter_count(),
        layers=network.layers,
        width=network.width,
        heads=network.heads,
        reads=", ".join(name for name, read in reads.items() if read) or "nothing but the noisy pair",
        training=json.dumps(training, indent=2, default=str),
    )
