//! How a CI system says things: its name, what it masks, where it keeps a secret better, how it prints an environment report.
//! A format gives its own as one value; rules speak every system through it and name none.

/// What of a log a system blanks. Used to word and rank, never to excuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Masks {
    /// The exact text of a secret.
    Values,
    /// The values of variables with secret-looking names.
    Names,
    /// Nothing.
    Nothing,
}

/// A CI system in its own words. One value per format; equal when the names are.
#[derive(Debug)]
pub struct Dialect {
    /// As its users write it.
    pub name: &'static str,
    /// The files that are read, as patterns.
    pub files: &'static [&'static str],
    /// What of those files, or around them, is not read: one clause each.
    pub unread: &'static [&'static str],
    /// What its logs blank.
    pub masks: Masks,
    /// Whether jobs hold variables that no file shows (settings of the project or the agent).
    pub unseen_variables: bool,
    /// Short-lived tokens that are in the environment of every job, whether asked for or not.
    pub present: &'static [&'static str],
    /// Whether PyPI takes its identity tokens (trusted publishing).
    pub publishes: bool,
    /// How a job gets an identity instead of a long-lived secret; empty when it cannot.
    pub identity: &'static str,
    /// How a secret reaches a job as a file, or the next best that is no variable.
    pub file: &'static str,
    /// The narrowest variable that it has, when nothing better serves.
    pub narrow: &'static str,
    /// A step that prints the environment report, in its own syntax.
    pub report: &'static str,
    /// How a test report is kept although tests failed.
    pub keeps_report: &'static str,
    /// Whether an artifact that says nothing else is kept only of jobs that passed.
    pub keeps_on_success: bool,
    /// Whether scripts without a written shell are read by bash on the machine itself.
    pub bash: bool,
    /// How it handles secrets in variables. `&SecretWords::PLAIN` where nothing is known yet.
    pub secrets: &'static SecretWords,
}

/// How a system handles secrets in variables: names of its scopes, what lives on after a step, which components know better.
///
/// Written as `SecretWords { steps: true, ..SecretWords::PLAIN }`, so that a new word does not touch every system.
#[derive(Debug)]
pub struct SecretWords {
    /// What holds the variables of all jobs, as its users say: ``the workflow's `env` ``.
    pub pipeline: &'static str,
    /// What holds the variables of all steps of one job: ``the job's `env` ``.
    pub job: &'static str,
    /// Whether a step can have variables that no other step of its job has. If not, the job is the narrowest place.
    pub steps: bool,
    /// Whether the log shows the variables of a step before it runs, so that a derived value is printed without anybody asking.
    pub shows_variables: bool,
    /// What a set of secrets is called that is attached by name to a job that has no narrower place for it (`context`); empty when a
    /// set means that everything is handed over at once.
    pub set: &'static str,
    /// What a job is bound to that brings variables of the server which no file shows (`deployment`), where they are the job's alone; empty when
    /// there is no such thing.
    pub bound: &'static str,
    /// A part of the key of secrets that are asked for as a variable where the system gives a file by default (`.secrets.` with
    /// `file: false`); empty when there is none.
    pub refused_file: &'static str,
    /// Variables that name a file whose lines are in the environment of every later step (`GITHUB_ENV`, `BASH_ENV`).
    pub persists: &'static [&'static str],
    /// Variables that name a file whose lines are kept as outputs (`GITHUB_OUTPUT`).
    pub outputs: &'static [&'static str],
    /// Beginnings of texts that set a variable for later steps when they are printed or run (`##vso[task.setvariable`).
    pub setters: &'static [&'static str],
    /// A word in such a text that makes the variable secret (`issecret=true`); empty when there is none.
    pub setter_masks: &'static str,
    /// Beginnings of paths that lie outside of the workspace (`$RUNNER_TEMP`).
    pub private: &'static [&'static str],
    /// A folder outside of it that ends with the job, as a word of the shell.
    pub temp: &'static str,
    /// Beginnings of paths that lie in it although they are absolute or begin with a variable.
    pub workspace: &'static [&'static str],
    /// What to write instead of everything that a called pipeline inherits.
    pub inherits: &'static str,
    /// What to write instead of a secret pasted into program text.
    pub unpasted: &'static str,
    /// How a machine can write that.
    pub unpaste: Unpaste,
    /// How a value that is no secret is kept so that the log shows it; `NAME` stands for it.
    pub plain: &'static str,
    /// How a condition asks whether a secret is set without having it; `NAME` stands for the secret. Empty when it cannot.
    pub question: &'static str,
    /// What keeps patches of strangers away from a step or a job, in its own syntax. Empty when the server alone can.
    pub apart: &'static str,
    /// The value of a variable that answers that, `SECRET` standing for the expression of the secret. Empty when it cannot.
    pub asks: &'static str,
    /// What a job has to say so that PyPI knows who it is.
    pub grants: Option<Grant>,
    /// Texts to put in.
    pub rewrites: &'static Rewrites,
    /// Whether the environment of one step is the only place that a script can read a secret from.
    pub only_step: bool,
    /// Expressions that give out a whole context, in lower case without blanks, and what is in it that should not be printed.
    pub contexts: &'static [(&'static str, &'static str)],
    /// Components that put secrets into the environment of all later steps.
    pub exporters: &'static [Exporter],
    /// Variables of components that have an input for the same: component, variable, input.
    pub inputs: &'static [(&'static str, &'static str, &'static str)],
}

impl SecretWords {
    /// Of a system about which nothing is known.
    pub const PLAIN: SecretWords = SecretWords {
        pipeline: "the variables of the pipeline",
        job: "the variables of the job",
        steps: false,
        shows_variables: false,
        set: "",
        bound: "",
        refused_file: "",
        persists: &[],
        outputs: &[],
        setters: &[],
        setter_masks: "",
        private: &["/tmp/", "/dev/shm/", "~/", "$HOME/", "${HOME}/", "/root/", "/run/"],
        temp: "/tmp",
        workspace: &[],
        inherits: "name each secret that the called pipeline reads",
        unpasted: "hand it to the script as a variable and write `\"$NAME\"` with quotes",
        unpaste: Unpaste::Never,
        plain: "as a plain variable in the file",
        question: "",
        apart: "",
        asks: "",
        grants: None,
        rewrites: &Rewrites::PLAIN,
        only_step: false,
        contexts: &[],
        exporters: &[],
        inputs: &[],
    };
}

/// An entry of a job that gives it an identity.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// The mapping that it stands in (`permissions`).
    pub word: &'static str,
    /// The entry.
    pub entry: &'static str,
    /// What has to stand beside it when nothing else stands there; empty for nothing.
    pub beside: &'static str,
    /// Beginnings of the names of components that need no more than that. Where another one runs in the job, a person decides what stands beside.
    pub content: &'static [&'static str],
}

/// How a secret that a system pastes into program text is left to the shell instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpaste {
    /// Not by an edit of one place.
    Never,
    /// As a variable of the step, whose value is the expression that begins so.
    Variable(&'static str),
    /// By a second dollar before it.
    Double,
    /// By single quotes around the script, in which the system replaces nothing.
    Quotes,
}

/// What stands in a file where a secret is kept better, as lines to put in. `HOST` and `TOKEN` stand for what the finding knows.
#[derive(Debug)]
pub struct Rewrites {
    /// An upload to PyPI.
    pub publish: &'static str,
    /// An index that asks for a password.
    pub index: &'static str,
    /// A cloud.
    pub cloud: &'static str,
}

impl Rewrites {
    /// For systems that have nothing of their own.
    pub const PLAIN: Rewrites = Rewrites {
        publish: "umask 077\nprintf '[pypi]\\nusername = __token__\\npassword = %s\\n' \"$TOKEN\" > /tmp/pypirc\ntwine upload --config-file /tmp/pypirc dist/*",
        index: "umask 077\nprintf 'machine HOST login USER password %s\\n' \"$TOKEN\" > /tmp/netrc\nNETRC=/tmp/netrc pip install --index-url https://HOST/simple PACKAGE",
        cloud: "",
    };
}

/// A component that puts secrets into the environment of all later steps of its job.
#[derive(Debug)]
pub struct Exporter {
    /// Its name without a ref.
    pub component: &'static str,
    /// The variables; `*` stands for names that its inputs decide.
    pub exports: &'static [&'static str],
    /// It does so only with this input at this value.
    pub only_with: Option<(&'static str, &'static str)>,
    /// It does not with this input at this value.
    pub not_with: Option<(&'static str, &'static str)>,
    /// What it exports expires by itself when this input is given.
    pub short_lived_with: Option<&'static str>,
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Dialect) -> bool {
        self.name == other.name
    }
}

impl Eq for Dialect {}
