"""The questions that are asked: what the demo hospital suggests, and the kinds of question people ask it.

They come in a fixed order that never asks the same thing twice in a row, so that two runs ask the same.
"""

from __future__ import annotations

from itertools import cycle, islice

from appliance.pgflex.demo.hospital import QUESTIONS

ASKED: tuple[str, ...] = (
    "How many beds are free in cardiology?",
    "Which beds are occupied in surgery?",
    "How many beds per ward?",
    "Show the free beds on floor 3",
    "How many beds are reserved?",
    "How many appointments are cancelled?",
    "Which appointments are tomorrow in cardiology?",
    "How many appointments per department?",
    "Which patients are admitted in maternity?",
    "How many patients are discharged?",
    "How many patients per ward?",
    "Which inventory items are out?",
    "What is the total quantity of masks?",
    "What is the average unit cost of inventory?",
    "Which devices are in maintenance?",
    "How many devices are available?",
    "Which surgeries are scheduled today?",
    "How many surgeries per theatre?",
    "Which lab results are pending?",
    "How many lab results are high?",
    "Who is on the night shift in cardiology?",
    "How many staff shifts are sick?",
    "Which doctors are on duty in emergency?",
    "How many ventilators are in use?",
)


def mixed(count: int) -> list[str]:
    """`count` questions, round and round through all there are."""
    return list(islice(cycle((*QUESTIONS, *ASKED)), count))
