//! # What it finds
//!
//! A secret in the variables of a job, or of its container, that several steps can read: those that need it and all the others.
//!
//! # Why
//!
//! A gate should be able to print its whole environment at the top of the log. With a secret in the job that is a leak, and every test,
//! plugin, `setup.py` and action of the job inherits it. One finding names all secrets of the job and says who can read them.
//!
//! # What is not a finding
//!
//! - A job with one step: there it is the scope of that step (`secret-env-step-scope`).
//! - A question about a secret (`HAS_TOKEN: ${{ secrets.TOKEN != '' }}`), `vars.*`, a path to a file.
//! - Inputs of components (`with:`), registry credentials of `container` and `services`.
//! - A deployment of Bitbucket whose step runs no tests; with tests it is `info` (`warning` in `strict`), for no file says what it holds.
//! - Systems where the job is the narrowest place (GitLab's `variables`, a CircleCI context): only when tests, linters or (outside of jobs that publish)
//!   installs share the job with the secret; one finding a set. A GitLab secret that is asked for as a variable (`file: false`) is one always: a file is the default there.
//! - `GITHUB_TOKEN` and other tokens that end with the job, in `default`; names in `secrets.allow`.
//!
//! # What to do
//!
//! Move it to the one step that reads it. Where only `if:` needs it, keep a boolean. Where several steps need it, write it to a private
//! file once and hand over the path. For clouds and for PyPI no long-lived secret is needed at all.
//!
//! `--unsafe-fixes` moves a secret to the steps that read it, when these are three at most: a script that they do not show may have read it
//! elsewhere. Jenkins: `withCredentials` around the one `sh`; where the program itself reads it, a person decides.
//!
//! # Levels
//!
//! `warning`, `error` in `strict` and `audit`. One level higher where tests, installs or a component at a branch share the job, or a proposed
//! patch starts it. One lower for upload tokens and other secrets of `secrets.low-sensitivity`, for plain configuration by name (neither
//! is ever lifted), and behind a protected environment that no patch can start. Job tokens: `info` in `strict` and `audit`,
//! nothing where `permissions` let the token change nothing.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     env:
//!       STAGE: production
//!       DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}
//!     steps:
//!       - uses: actions/checkout@v4
//!       - run: make build
//!       - run: ./deploy "$STAGE"
//!         env:
//!           REGION: eu
//!       - run: ./announce --key-of DEPLOY_KEY
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     env:
//!       STAGE: production
//!     steps:
//!       - uses: actions/checkout@v4
//!       - run: make build
//!       - run: ./deploy "$STAGE"
//!         env:
//!           REGION: eu
//!       - env:
//!           DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}
//!         run: ./announce --key-of DEPLOY_KEY
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! deploy:
//!   secrets:
//!     DB_PASSWORD:
//!       vault: production/db/password
//!       file: false
//!   script: ./deploy
//! ```
//!
//! ```yaml .github/workflows/one.yml bad default
//! on: push
//! env:
//!   T: ${{ secrets.T }}
//! jobs:
//!   only:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: make build
//!       - run: make package
//!       - run: ./upload
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   deploy:
//!     runs-on: ubuntu-24.04
//!     env:
//!       HAS_KEY: ${{ secrets.DEPLOY_KEY != '' }}
//!     container:
//!       image: registry.example.org/a:1.2.3
//!       credentials:
//!         username: joe
//!         password: ${{ secrets.REGISTRY_PASSWORD }}
//!     steps:
//!       - uses: actions/checkout@v4
//!       - if: env.HAS_KEY == 'true'
//!         run: ./deploy
//!         env:
//!           DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}
//!   single:
//!     runs-on: ubuntu-24.04
//!     env:
//!       T: ${{ secrets.T }}
//!     steps:
//!       - run: ./upload
//! ```
//!
//! ```yaml .gitlab-ci.yml good
//! deploy:
//!   variables:
//!     PASSWORD: $PROD_PASSWORD
//!   secrets:
//!     DB_PASSWORD:
//!       vault: production/db/password
//!   script: ./deploy
//! ```
//!
//! ```yaml bitbucket-pipelines.yml bad default
//! pipelines:
//!   default:
//!     - step:
//!         deployment: production
//!         script: [pytest, ./deploy]
//! ```
//!
//! ```yaml bitbucket-pipelines.yml good
//! pipelines:
//!   default:
//!     - step:
//!         script: [pytest]
//!     - step:
//!         deployment: production
//!         script: [./deploy]
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 13 findings in 9 of them. In 11 further ones: 8. Read by eye: 23, false: 0.
//! Ledger: `docs/evidence/secret-env-job-scope.tsv`.

use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, StepKind, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::place::{Usage, advice, are, listed, shown};
use crate::model::secrets::names::words;
use crate::model::secrets::narrow::{self, Place};
use crate::model::secrets::{Company, Harm, Held, Weight};
use std::collections::BTreeSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-env-job-scope",
    group: Group::Secret,
    summary: "a secret is in the variables of a job, where steps can read it that do not need it",
    levels: &[("secret", levels(Warning, Error, Error)), ("job-token", levels(Off, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for pipeline in project.pipelines() {
        let single = Company::of_pipeline(project, pipeline).jobs == 1;
        let mut shared = Vec::new();
        for job in pipeline.jobs.iter().filter(|job| !job.steps.is_empty()) {
            let company = Company::of_job(project, pipeline, job);
            let of = |scope: Scope| job.env.iter().filter(move |one| one.scope == scope);
            let site = Site { project, pipeline, job, company };
            site.judge(of(Scope::Job).filter(|one| site.is_wide(one)).collect(), findings);
            site.judge(of(Scope::Container).filter(|one| site.is_wide(one)).collect(), findings);
            for service in &job.services {
                let held = Held::sort(project, service.env.iter().filter(|one| one.scope == Scope::Container));
                if !held.secrets.is_empty() {
                    findings.push(site.service(&service.name, &held));
                }
            }
            site.bound(findings);
            if single {
                let wide = pipeline.env.iter().filter(|one| one.scope == Scope::Pipeline && site.is_wide(one));
                site.judge(wide.collect(), findings);
            }
            shared.extend(site.sets().map(|set| (job, company, set)));
        }
        sets(pipeline, &shared, findings);
    }
}

/// Words of names of jobs that hand out what was made.
const PUBLISHING: &[&str] = &["deploy", "deployment", "publish", "release", "upload", "push", "pypi"];

/// Commands that do.
const UPLOADS: &[(&str, &str)] = &[
    ("twine", "upload"), ("uv", "publish"), ("poetry", "publish"), ("flit", "publish"), ("hatch", "publish"), ("pdm", "publish"), ("docker", "push"),
    ("npm", "publish"), ("anaconda", "upload"), ("cargo", "publish"), ("helm", "push"),
];

/// Sets that are attached by name where the system has no narrower place: one finding a set, whichever jobs it is attached to.
fn sets(pipeline: &Pipeline, shared: &[(&Job, Company, &Assignment)], findings: &mut Findings) {
    let mut told: Vec<&str> = Vec::new();
    for (job, company, set) in shared {
        if told.contains(&set.name.as_str()) {
            continue;
        }
        told.push(&set.name);
        let others: Vec<_> = shared.iter().filter(|(other, _, one)| one.name == set.name && other.id != job.id).collect();
        let more = match others.len() {
            0 => String::new(),
            1 => " and of one more job".to_string(),
            count => format!(" and of {count} more jobs"),
        };
        let message = format!(
            "the {} `{}` gives all its secrets to {}{more}{}; whatever they start can read them",
            pipeline.system.secrets.set,
            set.name,
            readers(job, company),
            company.words(),
        );
        let help = format!("attach it to a job of its own that only publishes or deploys, or use {}", pipeline.system.identity);
        let mut finding = Findings::finding(&RULE, "secret", set.at, message).help(help).about(&set.key, &set.name);
        finding.levels = Weight::new(Harm::Full, company).weigh(finding.levels);
        for (job, _, other) in others {
            finding = finding.label(other.at, format!("job `{}` has it too", job.id));
        }
        findings.push(finding);
    }
}

/// Who can read what a job holds, in words.
fn readers(job: &Job, company: &Company) -> String {
    match company.steps {
        1 => format!("everything that job `{}` runs", job.id),
        count => format!("the {count} steps of job `{}`", job.id),
    }
}

struct Site<'p> {
    project: &'p Project,
    pipeline: &'p Pipeline,
    job: &'p Job,
    company: Company,
}

impl<'p> Site<'p> {
    /// Whether a variable of the job can be read by something that does not need it.
    fn is_wide(&self, variable: &Assignment) -> bool {
        let words = self.pipeline.system.secrets;
        let refused = !words.refused_file.is_empty() && variable.key.contains(words.refused_file);
        if words.steps { self.company.steps > 1 || refused } else { self.is_shared() || refused }
    }

    /// Whether something runs beside that has no business with a secret: checks, and installs outside of a job that only publishes.
    fn is_shared(&self) -> bool {
        let words = words(&self.job.id);
        let publishes = words.iter().any(|word| PUBLISHING.contains(&word.as_str())) || self.uploads();
        self.company.checks || self.company.installs && !publishes
    }

    /// Whether a step hands out what was made, whatever the job is called.
    fn uploads(&self) -> bool {
        let scripts = self.job.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Run(script) => Some(script),
            _ => None,
        });
        scripts.flat_map(|script| &script.commands).any(|command| {
            let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
            words.windows(2).any(|pair| UPLOADS.contains(&(pair[0], pair[1])))
        })
    }

    fn judge(&self, variables: Vec<&'p Assignment>, findings: &mut Findings) {
        let held = Held::sort(self.project, variables);
        if !held.secrets.is_empty() {
            let mut finding = self.report("secret", &held.secrets);
            finding.levels = Weight::new(held.harm, &self.company).weigh(finding.levels);
            findings.push(finding);
        }
        if !held.tokens.is_empty() && self.job.token_writes {
            findings.push(self.report("job-token", &held.tokens));
        }
    }

    /// Sets that are attached to a job where something else runs beside.
    fn sets(&self) -> impl Iterator<Item = &'p Assignment> + use<'p> {
        let wanted = !self.pipeline.system.secrets.set.is_empty() && self.is_shared();
        let is_set = |one: &&Assignment| {
            matches!(&one.value, Value::Secret { names, .. } if names.iter().any(|name| name == "*"))
        };
        self.job.env.iter().filter(move |_| wanted).filter(|one| one.scope != Scope::Input).filter(is_set)
    }

    /// A container beside the steps: what it is started with, everybody who can inspect it reads.
    fn service(&self, name: &str, held: &Held) -> Finding {
        let names: Vec<&str> = held.secrets.iter().map(|one| one.name.as_str()).collect();
        let them = if names.len() == 1 { "it" } else { "them" };
        let message = format!(
            "{} {} in the environment of service `{name}` of job `{}`: `docker inspect` and its own log show {them}",
            listed(names.iter().copied()),
            are(names.len()),
            self.job.id
        );
        let help = "a service that lives as long as the job needs no real secret: give it a password that is made for it, or plain in the file";
        let first = held.secrets[0];
        let mut finding = Findings::finding(&RULE, "secret", first.at, message).help(help).about(&first.key, names.join(" "));
        finding.levels = Weight::new(held.harm, &self.company).weigh(finding.levels);
        finding
    }

    /// Tests beside the variables of a deployment: which those are, the server knows.
    fn bound(&self, findings: &mut Findings) {
        let word = self.pipeline.system.secrets.bound;
        let Some(name) = self.job.environment.as_deref().filter(|_| !word.is_empty() && self.company.tests) else { return };
        let message = format!(
            "secured variables of {word} `{name}`, which no file shows, are readable by {}{}",
            readers(self.job, &self.company),
            self.company.words()
        );
        let help = format!("test in a step without `{word}:`, and deploy in the next one");
        let mut finding = Findings::finding(&RULE, "secret", self.job.at, message).help(help).about(&self.job.key, name);
        // Whether there are any is not known.
        finding.levels = Weight { harm: Harm::Low, exposed: false, protected: false }.weigh(finding.levels);
        findings.push(finding);
    }

    fn report(&self, kind: &str, held: &[&Assignment]) -> Finding {
        let names: Vec<&str> = held.iter().map(|one| one.name.as_str()).collect();
        let usages: Vec<_> = names.iter().map(|name| self.project.usage(self.job, name)).collect();
        let mut users: Vec<usize> = usages.iter().flat_map(|usage| usage.steps.clone()).collect();
        users.sort_unstable();
        users.dedup();
        let asked = users.is_empty() && usages.iter().any(|usage| !usage.conditions.is_empty());
        let message = format!(
            "{} {} readable by {}{}; whatever prints its environment there prints {}",
            listed(names.iter().copied()),
            are(names.len()),
            readers(self.job, &self.company),
            self.company.words(),
            if names.len() == 1 { "it" } else { "them" },
        );
        let step = if let [only] = users[..] { Some(self.job.steps[only].name.as_str()) } else { None };
        let system = self.pipeline.system;
        // Where a job is the narrowest place, what is left is who starts it.
        let open = self.pipeline.triggers.patch && self.job.on_patch != Some(false);
        let apart = match system.secrets.apart {
            how if !system.secrets.steps && !how.is_empty() && open => format!("; keep patches away from the job: {how}"),
            _ => String::new(),
        };
        let mut finding = Findings::finding(&RULE, kind, held[0].at, message)
            .help(advice(system, &names, step, asked) + &apart)
            .about(&held[0].key, names.join(" "));
        for other in &held[1..] {
            finding = finding.label(other.at, format!("{} too", shown(&other.name)));
        }
        let conditions: BTreeSet<usize> = usages.iter().flat_map(|usage| usage.conditions.clone()).collect();
        let asks = self.pipeline.system.secrets.asks;
        // Stages inside of one share its variables.
        let shared = |one: &&&Assignment| self.pipeline.jobs.iter().any(|job| job.id != self.job.id && job.env.iter().any(|other| other.at == one.at));
        let edits = match users.as_slice() {
            _ if held.iter().any(|one| shared(&one)) => None,
            _ if !conditions.is_empty() && asks.is_empty() => None,
            users if !conditions.is_empty() => {
                let usage = Usage { steps: users.to_vec(), conditions: conditions.into_iter().collect() };
                narrow::asked(self.project, self.job, held, &usage, asks)
            }
            _ => {
                let steps = Place::of_steps(self.project, self.job, held);
                narrow::into(self.project, self.pipeline, self.job, &steps, held)
            }
        };
        match edits {
            Some(edits) => finding.remedy(Remedy::Replace { edits, safety: Safety::Unsafe }),
            None => finding,
        }
    }
}
