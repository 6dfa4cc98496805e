//! Asks the registries what a plan needs to know: each topic once, many at a time. Decides nothing.

pub mod index;

use crate::model::knowledge::{ImageRepository, Knowledge, Known, Miss, MissKind, Topic};
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Reference};
use crate::model::wish::{Goal, Wishes};
use crate::plan::images;
use crate::plan::select::{self, NO_TAG};
use crate::plan::topic::{self, Places};
use crate::world::disk;
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::http::Http;
use crate::world::registries::git_host::GitHost;
use crate::world::registries::oci::Oci;
use crate::world::registries::published::{self, Lists};
use crate::world::registries::pypi::{self, Named, Pypi};
use futures_util::StreamExt;
use futures_util::stream;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Topics that are asked about at a time; the client bounds the requests.
const AT_ONCE: usize = 64;
/// Digests of likely tags that are asked for at a time: the first is nearly always the one.
const LADDER: usize = 3;

/// The registries of a run.
#[derive(Debug)]
pub struct Registries {
    /// Container registries.
    pub oci: Oci,
    /// Git hosts.
    pub git: GitHost,
    /// Registries that tell versions and nothing more.
    pub lists: Lists,
    http: Http,
    environment: Environment,
}

impl Registries {
    /// All of them over one client.
    pub fn new(http: Http, environment: &Environment) -> Registries {
        let (oci, git) = (Oci::new(http.clone(), environment), GitHost::new(http.clone(), environment));
        let lists = Lists::new(http.clone(), environment);
        Registries { oci, git, lists, http, environment: environment.clone() }
    }

    /// The Python indexes of the environment and of the inputs' own words. Needs a running runtime.
    pub fn pypi(&self, named: &Named, folder: PathBuf) -> Result<Pypi, String> {
        let read = |path: &PathBuf| disk::read_named(path).ok();
        let places = pypi::Places::of(named, &self.environment, &read)?;
        Ok(Pypi::new(self.http.clone(), places, &self.environment, folder))
    }
}

/// The servers that names without a host belong to, as CI systems say it.
pub fn places(environment: &Environment) -> Places {
    let usual = Places::default();
    let of =
        |name: &str, usual: String| environment.get(name).map_or(usual, |url| url.trim_end_matches('/').to_string());
    Places { github: of("GITHUB_SERVER_URL", usual.github), gitlab: of("CI_SERVER_URL", usual.gitlab) }
}

/// What is asked about one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// Image tags whose digest is wanted.
    pub tags: BTreeSet<String>,
    /// Whether tags are wanted that name the same content more exactly.
    pub ladder: bool,
    /// Digests that should be there.
    pub digests: BTreeSet<String>,
    /// Releases that are held, whose vulnerabilities are wanted.
    pub versions: BTreeSet<String>,
}

/// What has to be known to decide the wishes.
pub fn questions(project: &Project, wishes: &Wishes, places: &Places) -> BTreeMap<Topic, Question> {
    let mut questions: BTreeMap<Topic, Question> = BTreeMap::new();
    for wish in wishes.iter() {
        let reference = project.reference(wish.reference);
        let asked = reference.strength.is_some() && !select::needs_its_file(reference);
        if let Some(topic) = topic::of(reference, places).filter(|_| asked) {
            questions.entry(topic).or_default().add(reference, wish.goal);
        }
    }
    questions
}

impl Question {
    fn add(&mut self, reference: &Reference, goal: Goal) {
        if reference.subject.ecosystem != Ecosystem::Oci {
            return;
        }
        if reference.pin.digests.is_empty() || goal.strength < Strength::Immutable {
            self.tags.insert(reference.pin.version.clone().unwrap_or_else(|| NO_TAG.to_string()));
            self.ladder = true;
        }
    }
}

/// Asks every question.
pub async fn ask(registries: &Registries, questions: &BTreeMap<Topic, Question>) -> Knowledge {
    let bar = registries.http.progress().start("looking up", questions.len());
    let pypi = registries.pypi(&Named::default(), PathBuf::new());
    let one = |(topic, question)| {
        let (bar, pypi) = (&bar, &pypi);
        async move {
            let answer = answer(registries, pypi, topic, question).await;
            bar.tick(&topic.subject.name);
            (topic.clone(), answer)
        }
    };
    let mut answers = stream::iter(questions.iter().map(one)).buffer_unordered(AT_ONCE);
    let mut knowledge = Knowledge::default();
    while let Some((topic, answer)) = answers.next().await {
        knowledge.put(topic, answer);
    }
    knowledge
}

async fn answer(
    registries: &Registries,
    pypi: &Result<Pypi, String>,
    topic: &Topic,
    question: &Question,
) -> Result<Known, Miss> {
    let unsupported = |text: &str| Miss { kind: MissKind::Unsupported, text: text.to_string() };
    let name = topic.subject.name.as_str();
    let known = match (topic.subject.ecosystem, &topic.place) {
        (Ecosystem::Toolchain, Some(url)) => published::of_tags(&registries.git, url).await.map(Known::Versions),
        (ecosystem @ (Ecosystem::Npm | Ecosystem::Cargo | Ecosystem::Go | Ecosystem::Orb), _) => {
            registries.lists.of(ecosystem, name).await.map(Known::Versions)
        }
        (Ecosystem::Oci, _) => image(&registries.oci, name, question).await.map(Known::Registry),
        (Ecosystem::Git, Some(url)) => registries.git.refs(url).await.map(Known::Host),
        (Ecosystem::Pypi, _) => {
            let pypi = pypi.as_ref().map_err(|why| unsupported(why))?;
            let scope = index::Scope::Whole;
            return index::project(pypi, &registries.http, name, &question.versions, scope).await.map(Known::Index);
        }
        _ => return Err(unsupported("there is no registry to ask for this")),
    };
    known.map_err(|failure| failure.miss())
}

async fn image(oci: &Oci, name: &str, question: &Question) -> Result<ImageRepository, Failure> {
    let mut known = ImageRepository::default();
    for digest in &question.digests {
        known.manifests.insert(digest.clone(), oci.manifest(name, digest).await?);
    }
    for tag in &question.tags {
        known.digests.insert(tag.clone(), oci.digest(name, tag).await?);
    }
    if question.ladder {
        for tag in &question.tags {
            climb(oci, name, tag, &mut known).await?;
        }
    }
    Ok(known)
}

/// Looks for a more exact tag with the same digest, likeliest first, until one is found.
async fn climb(oci: &Oci, name: &str, tag: &str, known: &mut ImageRepository) -> Result<(), Failure> {
    let Some(Some(digest)) = known.digests.get(tag).cloned() else { return Ok(()) };
    if crate::ecosystems::oci::tag_strength(name, tag) >= Strength::Exact {
        return Ok(());
    }
    if known.tags.is_none() {
        // A registry that does not list tags costs the better name, not the digest.
        known.tags = oci.tags(name).await.ok();
    }
    let tags = known.tags.clone().unwrap_or_default();
    let candidates = images::more_exact(name, tag, &tags);
    for some in candidates.chunks(LADDER) {
        let unasked: Vec<&str> = some.iter().copied().filter(|tag| !known.digests.contains_key(*tag)).collect();
        let asked = unasked.iter().map(|tag| async move { (tag.to_string(), oci.digest(name, tag).await) });
        for (candidate, answer) in futures_util::future::join_all(asked).await {
            known.digests.insert(candidate, answer?);
        }
        if some.iter().any(|tag| known.digests.get(*tag).is_some_and(|other| other.as_ref() == Some(&digest))) {
            break;
        }
    }
    Ok(())
}
