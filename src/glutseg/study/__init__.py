"""From a run to a result: participants joined, groups compared, how much rests on the method."""
