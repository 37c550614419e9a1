from __future__ import annotations


def test_a_command_that_does_not_exist_is_refused_in_words(shoal, tally):
    tally.count("unknown commands", shoal("fti", "iris").fault())
    tally.check("unknown commands")
