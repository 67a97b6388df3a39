"""What a forgery is, and the list that the files of forgeries fill."""

CASES = []


class Lie:
    """One function makes both: the sound twin (lie is false) and the forgery."""

    def __init__(self, lies):
        self.lies = lies

    def __bool__(self):
        return self.lies

    def __call__(self, right, wrong):
        return wrong if self.lies else right


class Case:
    """lies: it has a forgery; twin: it has a sound ledger."""

    def __init__(self, section, name, script, build, lies=True, twin=True):
        self.section, self.name, self.script, self.build = section, name, script, build
        self.lies, self.twin = lies, twin

    def __str__(self):
        return f"{self.section} {self.name}"


def forgery(section, name, script):
    """build(log, lie) changes the script's log and gives the event (or the events, where any of them
    may be named) that the audit must refute when lie is true. When it is false the log is sound."""
    def keep(build):
        CASES.append(Case(section, name, script, build))
        return build
    return keep


def sound(section, name, script):
    """build(log) changes the log, and it stays sound: a near miss."""
    def keep(build):
        CASES.append(Case(section, name, script, lambda log, _: build(log), lies=False))
        return build
    return keep


class Feed:
    """A script that is a file of commands, and the options of its `init`."""

    def __init__(self, path, *options):
        self.path, self.options = path, options
