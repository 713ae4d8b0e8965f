"""The last part: the standard mistakes alone, in plain networks, data and loops as in tutorials, held out."""
