"""The story of one connection in plain words, told from the rows of the report; ``tell(case)`` (analyzer.story.telling) is the door."""
