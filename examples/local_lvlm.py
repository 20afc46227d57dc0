"""Serve a vision-language model on this machine, as OpenAI's API: python examples/local_lvlm.py --model-dir FOLDER.

Without a model of your own, a tiny one of random weights is made and served: its answers have the right form, and are
noise. With a model that you have (a GGUF file and its mmproj), the answers are that model's:

    pip install 'ask-pose-unite[local-lvlm]'
    python examples/local_lvlm.py --model-dir tiny_model --port 8080
    python examples/local_lvlm.py --model gemma-3-4b-it.gguf --mmproj mmproj-gemma-3-4b.gguf --threads 8 --context 16384

The server answers this machine only, and ends with Ctrl-C.
"""

import argparse
import signal
import sys
import threading
from pathlib import Path

from tiny_lvlm import CONTEXT, write_tiny_lvlm

NOISE = """
  ******************************************************************
  *  This model has RANDOM weights. Its answers are NOISE.         *
  *  It shows that the machinery works, and nothing about a photo. *
  ******************************************************************
"""


def main() -> None:
    options = _options()
    if options.model:
        text, vision, name = options.model, options.mmproj, options.model.stem
    else:
        print(NOISE, file=sys.stderr, flush=True)
        text, vision = write_tiny_lvlm(options.model_dir)
        name = "tiny"
    server = _serve(text, vision, name, options)  # it runs as long as this object lives
    print(f"listening on {server.listening_address}", flush=True)
    print(f"  apu ask PHOTO --model '{server.listening_address}/v1#{name}'", flush=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve a vision-language model on this machine.")
    parser.add_argument(
        "--model-dir", type=Path, default=Path("tiny_model"), help="where the tiny model is, or is made"
    )
    parser.add_argument("--model", type=Path, help="a GGUF file of your own")
    parser.add_argument("--mmproj", type=Path, help="the GGUF file of its image encoder")
    parser.add_argument("--port", type=int, default=8080, help="0 takes one that is free")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--context", type=int, default=CONTEXT, help="tokens of all slots together")
    parser.add_argument("--slots", type=int, default=4, help="requests at once")
    options = parser.parse_args()
    if (options.model is None) != (options.mmproj is None):
        parser.error("--model and --mmproj go together: without the image encoder, the model cannot see.")
    for file in (options.model, options.mmproj):
        if file is not None and not file.is_file():
            parser.error(f"{file} is no file.")
    return options


def _serve(text: Path, vision: Path, name: str, options: argparse.Namespace):
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(text)
    settings.mmproj.path = str(vision)
    settings.model_alias = {name}
    settings.hostnames = ["127.0.0.1"]
    settings.port = options.port
    settings.n_ctx = options.context
    settings.n_parallel = options.slots
    settings.cpuparams.n_threads = options.threads  # more threads than idle cores wait for each other
    settings.warmup = False
    try:
        return xllamacpp.Server(settings)
    except RuntimeError as error:
        sys.exit(
            f"{error}\nIs port {options.port} in use (then try --port 0), and are these files a model that sees images?"
        )


if __name__ == "__main__":
    main()
