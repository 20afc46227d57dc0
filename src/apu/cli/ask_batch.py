"""`apu ask --batch`: questions are handed in at about half the price, answers fetched later, lost batches forgotten."""

import sys
import time
from collections.abc import Iterable

import click

from apu.ask.batch import Batches
from apu.ask.batch_store import batches as stored_batches
from apu.ask.cost import BATCH_SHARE, most_of, price
from apu.ask.model_name import ModelName
from apu.ask.parse import parse_reply
from apu.ask.question import Question
from apu.ask.store import Store
from apu.cli.request import printable


def submit(batches: Batches, name: ModelName, questions: Iterable[Question], budget_usd: float | None) -> str | None:
    """Hand in what is not answered; give back why some was not, if some was not.

    Raises:
        InputError: there is a budget, and no price is known.
        ProviderError: a batch was not accepted.
    """

    def most(question: Question) -> float | None:
        usd = most_of(question, name)
        return None if usd is None else usd * BATCH_SHARE

    sent = batches.submit(questions, budget_usd=budget_usd, most=most)
    click.echo(f"Handed in: {sent.questions} questions in {sent.batches} batches; known before: {sent.known}.")
    click.echo("Fetch the answers with the same command and --batch collect; providers take up to a day.")
    return f"{sent.not_sent} questions were not handed in; the budget is used up" if sent.not_sent else None


def collect(batches: Batches) -> None:
    """Take in the answers of all batches that have ended; raises ProviderError when the provider does not answer."""
    got = batches.collect()
    told = ", ".join(f"{number} {status}" for status, number in got.answers.items()) or "nothing new"
    click.echo(f"Fetched: {told}. Batches still at work: {got.waiting}.")
    for words in got.words:
        click.echo(printable(f"  {words}"))
    for batch in got.uncertain:
        told = f"Batch {batch.id} was interrupted while it was handed in, and its questions wait."
        click.echo(f"{told} If the provider's console does not show it, --batch forget frees them.", err=True)


def forget(batches: Batches, model: str, store: Store, *, yes: bool) -> None:
    """Free the questions of batches whose handing in was interrupted, on the user's word that they do not exist.

    Raises:
        click.UsageError: nobody can be asked, because the input is no terminal.
        click.Abort: the user says no.
    """
    uncertain = stored_batches(store, "submitting", model=model)
    if not uncertain:
        click.echo(f"No batch of {printable(model)} was interrupted while it was handed in.")
    for batch in uncertain:
        begun = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(batch.time))
        click.echo(f"Batch {batch.id}, {begun}: {len(batch.open)} questions to {printable(model)}.")
    if not uncertain:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Look at the provider's console, and add --yes if it shows no such batch.")
        click.confirm("Is it certain that the provider has none of them? They would be paid for twice.", abort=True)
    for batch in uncertain:
        batches.forget(batch)
    click.echo("Forgotten. The next run asks these questions.")


def batches_of(model: str, name: ModelName, store: Store) -> Batches:
    """The batches of a model; raises InputError when it has none, or a package or the key is missing."""
    from apu.ask.pydantic_ai_batch import PydanticAiBatches  # its package is optional

    return Batches(
        PydanticAiBatches(name),
        store,
        model,
        parse_reply,
        price=lambda question, reply: price(name, reply.usage, batch=True),
    )
