//! What rules ask about images: where each is used, who runs it, and whether this project builds it itself. Judges nothing.

use super::pin::Strength;
use super::pipeline::StepKind;
use super::policy::Demand;
use super::project::Project;
use super::reference::{Ecosystem, Reference, ReferenceId, Role};
use super::script::{Command, Deed};
use super::source::Source;
use super::span::{Location, SourceId};
use std::collections::{BTreeMap, BTreeSet};

/// Where an image is used, as far as it matters for levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImagePlace {
    /// CI runs it or builds on it.
    Ci,
    /// A person or a cluster does.
    Other,
    /// `# syntax=` of a Dockerfile.
    Frontend,
    /// Part of its name is a variable, so that it may be one's own.
    Variable,
    /// It has the name of an image that no registry gives under that name, or that this repository holds the Dockerfile of.
    Local,
    /// It stands in an example or in documentation that nothing in CI is seen to run, or in a leg of a matrix that is marked experimental.
    Example,
}

impl ImagePlace {
    /// The word for rules' kinds of sites.
    pub fn name(self) -> &'static str {
        match self {
            ImagePlace::Ci => "ci",
            ImagePlace::Other => "other",
            ImagePlace::Frontend => "frontend",
            ImagePlace::Variable => "variable",
            ImagePlace::Local => "local",
            ImagePlace::Example => "example",
        }
    }
}

/// An image that one file names, perhaps several times in the same way.
#[derive(Debug, Clone)]
pub struct ImageUse<'p> {
    /// The first that names it.
    pub id: ReferenceId,
    /// The same as data.
    pub reference: &'p Reference,
    /// Where the others stand.
    pub others: Vec<Location>,
    /// Where it is used.
    pub place: ImagePlace,
}

impl ImageUse<'_> {
    /// The tag as written, if any.
    pub fn tag(&self) -> Option<&str> {
        self.reference.pin.version.as_deref()
    }

    /// `python:3.12`, `python`.
    pub fn shown(&self) -> String {
        match self.tag() {
            Some(tag) => format!("{}:{tag}", self.reference.subject.name),
            None => self.reference.subject.name.clone(),
        }
    }

    /// What the image is at its place, in words.
    pub fn what(&self) -> &'static str {
        match self.reference.role {
            Role::BaseImage => "base image",
            Role::CopyFrom | Role::MountFrom => "copied image",
            Role::Frontend => "frontend image",
            Role::CiImage => "job image",
            Role::CiService => "service image",
            Role::CiStep => "step image",
            Role::ScriptImage => "script image",
            Role::ComposeService => "compose image",
            Role::DevImage => "development image",
            _ => "image",
        }
    }
}

/// Whether a reference names an image that is run or built on; features and pipes are components.
pub fn is_image(reference: &Reference) -> bool {
    reference.subject.ecosystem == Ecosystem::Oci && !matches!(reference.role, Role::DevFeature | Role::CiInclude)
}

/// What makes two images of one project the same: the file (where that matters), the name, the version, the digests, the place.
type Spelling<'p> = (Option<SourceId>, &'p str, Option<&'p str>, &'p [String], ImagePlace);

impl Project {
    /// Every image that is neither allowed by policy nor built by the project itself, one entry per file and spelling;
    /// for manifests that CI does not run, one per spelling.
    pub fn image_uses(&self) -> Vec<ImageUse<'_>> {
        let uses = self.derived.images.get_or_init(|| self.find_images());
        let of = |(id, others, place): &(ReferenceId, Vec<Location>, ImagePlace)| ImageUse {
            id: *id,
            reference: self.reference(*id),
            others: others.clone(),
            place: *place,
        };
        uses.iter().map(of).collect()
    }

    fn find_images(&self) -> Vec<(ReferenceId, Vec<Location>, ImagePlace)> {
        let own = self.own_images();
        let folders = self.build_folders();
        let mut uses: Vec<(ReferenceId, Vec<Location>, ImagePlace)> = Vec::new();
        let mut known: BTreeMap<Spelling, usize> = BTreeMap::new();
        for (id, reference) in self.references().filter(|(_, reference)| is_image(reference)) {
            let name = reference.subject.name.as_str();
            if self.policy.allows(Ecosystem::Oci, name) || own.contains(name) {
                continue;
            }
            let place = self.image_place(id, reference, &folders);
            // In a manifest such a name is a placeholder: skaffold, kustomize or a script puts the real one in.
            if place == ImagePlace::Local && reference.role == Role::Container {
                continue;
            }
            // Manifests of a cluster name one image in dozens of files; none of them is run here.
            let apart = reference.role != Role::Container || place == ImagePlace::Ci;
            let file = apart.then_some(id.source);
            let key = (file, name, reference.pin.version.as_deref(), reference.pin.digests.as_slice(), place);
            match known.get(&key) {
                Some(&index) => uses[index].1.push(reference.site.whole),
                None => {
                    known.insert(key, uses.len());
                    uses.push((id, Vec::new(), place));
                }
            }
        }
        uses
    }

    fn image_place(&self, id: ReferenceId, reference: &Reference, folders: &BTreeSet<&str>) -> ImagePlace {
        let path = &self.source(id.source).path;
        if reference.role == Role::Frontend {
            return ImagePlace::Frontend;
        }
        if reference.subject.name.contains(['$', '{', '<']) {
            return ImagePlace::Variable;
        }
        let name = &reference.subject.name;
        let comes_out = reference.role == Role::ComposeService && comes_out_beside(name, path, folders);
        if comes_out || is_local(name, path, folders) {
            return ImagePlace::Local;
        }
        match self.runs_in_ci(id.source) && !self.is_in_idle_task(id) {
            true if is_experimental(self.source(id.source), reference.site.whole) => ImagePlace::Example,
            true => ImagePlace::Ci,
            false if is_example(path) => ImagePlace::Example,
            false => ImagePlace::Other,
        }
    }

    /// Whether an image stands in a task of a Makefile or justfile that CI is not seen to run, although it runs others of them.
    fn is_in_idle_task(&self, id: ReferenceId) -> bool {
        let scripts = &self.facts_of(id.source).scripts;
        if scripts.len() < 2 || !self.gate.seen || self.gate.unclear.contains(&id.source) {
            return false;
        }
        let uses = |command: &Command| command.deeds.contains(&Deed::UseImage(id));
        let task = scripts.iter().find(|(_, script)| script.commands.iter().any(uses));
        task.is_some_and(|(_, script)| !self.gate.followed.contains(&script.at))
    }

    /// Names of the folders that hold a Dockerfile: what comes out often has the same name.
    fn build_folders(&self) -> BTreeSet<&str> {
        let builds = self.facts.iter().filter(|facts| !facts.builds.is_empty()).filter_map(|facts| facts.source);
        builds
            .filter_map(|source| self.source(source).folder().rsplit('/').next())
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// Whether CI runs what stands in a source. Without any pipeline, builds and scripts count as if it did; what only deploys or serves
    /// developers (compose, Kubernetes) does not.
    pub fn runs_in_ci(&self, source: SourceId) -> bool {
        if self.asleep(source) {
            return false;
        }
        let facts = self.facts_of(source);
        let ci = self.reached_by(source).iter().any(|reach| reach.ci);
        let holds_commands = !facts.builds.is_empty() || !facts.scripts.is_empty();
        let by_default = !self.gate.seen && holds_commands;
        by_default || !facts.pipelines.is_empty() || ci
    }

    /// Names of the images that the project's own pipelines, scripts and files build or put others in place of, tags left out.
    ///
    /// What is built a moment ago and then run is not fetched from anywhere.
    pub fn own_images(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut contexts: Vec<&str> = self.facts.iter().flat_map(|facts| &facts.contexts).map(String::as_str).collect();
        for site in self.commands() {
            for deed in &site.command.deeds {
                if let Deed::BuildImage(build) = deed {
                    names.extend(build.tags.iter().map(|tag| untagged(&tag.text.text)));
                    contexts.extend(build.contexts.iter().map(|context| context.text.text.as_str()));
                }
            }
        }
        let steps = self.jobs().flat_map(|(_, job)| &job.steps);
        for step in steps {
            let StepKind::Uses { component, inputs } = &step.kind else { continue };
            // Buildkite has the word in its own name, and in those of all its plugins.
            if !self.reference(*component).subject.name.replace("buildkite", "").contains("build") {
                continue;
            }
            for input in inputs {
                let lines =
                    self.sources.text(input.at).split([',', '\n']).map(|line| line.trim().trim_matches(['"', '\'']));
                match input.name.as_str() {
                    "tags" | "image" | "images" | "repository" => names.extend(lines.map(untagged)),
                    "build-contexts" => contexts.extend(lines),
                    _ => {}
                }
            }
        }
        // A name of an official image is given to others by some builds only: the rest fetch it.
        let given = contexts.into_iter().map(|context| context.split('=').next().unwrap_or(context).trim());
        names.extend(given.filter(|name| OFFICIAL.binary_search(name).is_err()).map(untagged));
        let said = self.facts.iter().flat_map(|facts| &facts.own_images);
        names.extend(said.map(|name| untagged(name)));
        names.retain(|name| !name.is_empty());
        names
    }

    /// The strength that the configuration demands of images.
    pub fn demanded_of_images(&self) -> Option<Strength> {
        self.policy.demanded(Demand::Images)
    }
}

/// Whether a name is that of an image which is made here: not official and without a registry's namespace, on this machine's own
/// registry, or like the folder of another Dockerfile of the repository.
fn is_local(name: &str, path: &str, folders: &BTreeSet<&str>) -> bool {
    let host = name.split('/').next().unwrap_or(name);
    let host = host.split(':').next().unwrap_or(host);
    if matches!(host, "localhost" | "127.0.0.1" | "host.docker.internal") {
        return true;
    }
    match name.rsplit_once('/') {
        None => OFFICIAL.binary_search(&name).is_err(),
        Some((_, last)) => {
            let own_folder = path.rsplit('/').nth(1).unwrap_or("");
            last != own_folder && folders.contains(last) && OFFICIAL.binary_search(&last).is_err()
        }
    }
}

/// Whether a compose file stands beside a Dockerfile and names an image after their folder: `org/connector-x` in `x/`.
fn comes_out_beside(name: &str, path: &str, folders: &BTreeSet<&str>) -> bool {
    let folder = path.rsplit('/').nth(1).unwrap_or("");
    let last = name.rsplit('/').next().unwrap_or(name);
    let named = last == folder || last.strip_suffix(folder).is_some_and(|rest| rest.ends_with('-'));
    name.contains('/') && folders.contains(folder) && named && OFFICIAL.binary_search(&last).is_err()
}

/// Whether a place lies in an entry of a matrix that says `experimental: true`: it is meant to run ahead, and may fail.
fn is_experimental(source: &Source, at: Location) -> bool {
    const LINES: usize = 20;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let here = source.line_of(at.span.start);
    let depth = indent(source.line_text(here));
    let says = |line: &str| line.trim_start_matches(['-', ' ']).trim_end() == "experimental: true";
    let inside = |line: &str| indent(line) >= depth && !(indent(line) == depth && line.trim_start().starts_with('-'));
    let above = (here.saturating_sub(LINES)..here).rev().map(|line| source.line_text(line));
    let mut entry: Vec<&str> = Vec::new();
    for line in above {
        // The first line of the entry begins with a dash, two columns before the others.
        let first = line.trim_start().starts_with("- ") && indent(line) + 2 == depth;
        if first || inside(line) {
            entry.push(line);
        }
        if first || !inside(line) {
            break;
        }
    }
    let below = (here + 1..here + LINES).map(|line| source.line_text(line)).take_while(|line| inside(line));
    entry.into_iter().chain(below).any(says)
}

/// Whether a path lies in examples or documentation.
pub fn is_example(path: &str) -> bool {
    let words = [
        "example",
        "examples",
        "sample",
        "samples",
        "demo",
        "demos",
        "doc",
        "docs",
        "tutorial",
        "tutorials",
        "unittests",
    ];
    path.split('/').rev().skip(1).any(|part| words.contains(&part))
}

/// Names without a namespace that Docker Hub gives, retired ones included, sorted. No other name without a `/` can be pulled from it.
/// <https://github.com/docker-library/official-images/tree/master/library>
#[rustfmt::skip]
const OFFICIAL: &[&str] = &[
    "adminer", "aerospike", "almalinux", "alpine", "alt", "amazoncorretto", "amazonlinux", "api-firewall", "arangodb",
    "archlinux", "aspnet", "backdrop", "bash", "bonita", "buildpack-deps", "busybox", "caddy", "cassandra", "celery",
    "centos", "chronograf", "cirros", "clearlinux", "clefos", "clickhouse", "clojure", "composer", "consul",
    "convertigo", "couchbase", "couchdb", "crate", "crux", "dart", "debian", "django", "docker", "docker-dev",
    "drupal", "eclipse-mosquitto", "eclipse-temurin", "eggdrop", "elasticsearch", "elixir", "emqx", "erlang",
    "express-gateway", "fedora", "flink", "fluentd", "friendica", "fsharp", "gazebo", "gcc", "geonetwork", "ghost",
    "glassfish", "golang", "gradle", "groovy", "haproxy", "haskell", "haxe", "hello-seattle", "hello-world",
    "hipache", "hitch", "hola-mundo", "httpd", "hylang", "ibm-semeru-runtimes", "ibmjava", "influxdb", "iojs",
    "irssi", "java", "jenkins", "jetty", "jobber", "joomla", "jruby", "julia", "kaazing-gateway", "kapacitor",
    "kibana", "known", "kong", "krakend", "lightstreamer", "liquibase", "logstash", "mageia", "mariadb", "matomo",
    "maven", "mediawiki", "memcached", "mongo", "mongo-express", "monica", "mono", "mysql", "nats", "nats-streaming",
    "neo4j", "neurodebian", "nextcloud", "nginx", "node", "notary", "nuxeo", "odoo", "open-liberty", "openjdk",
    "opensuse", "oraclelinux", "orientdb", "owncloud", "percona", "perl", "photon", "php", "php-zendserver",
    "phpmyadmin", "piwik", "plone", "postfixadmin", "postgres", "pypy", "python", "r-base", "rabbitmq", "rails",
    "rakudo-star", "rapidoid", "redis", "redmine", "registry", "rethinkdb", "rocket.chat", "rockylinux", "ros",
    "ruby", "rust", "sapmachine", "satosa", "sentry", "silverpeas", "sl", "solr", "sonarqube", "sourcemage", "spark",
    "spiped", "storm", "swarm", "swift", "swipl", "teamspeak", "telegraf", "thrift", "tomcat", "tomee", "traefik",
    "ubuntu", "ubuntu-debootstrap", "ubuntu-upstart", "unit", "valkey", "varnish", "vault", "websphere-liberty",
    "wordpress", "xwiki", "yourls", "znc", "zookeeper",
];

/// An image reference without tag and digest, Docker Hub's host left out.
fn untagged(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    let path = image.rfind('/').map_or(0, |at| at + 1);
    let end = image[path..].find(':').map_or(image.len(), |at| path + at);
    let name = &image[..end];
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_images_are_told_from_fetched_ones() {
        assert!(OFFICIAL.is_sorted());
        let folders = BTreeSet::from(["base-notebook", "redis"]);
        for (name, want) in [
            ("python", false),
            ("my-app", true),
            ("localhost:5000/redis", true),
            ("quay.io/jupyter/base-notebook", true),
            ("bitnami/redis", false),
            ("ghcr.io/a/b", false),
        ] {
            assert_eq!(is_local(name, "images/r-notebook/Dockerfile", &folders), want, "{name}");
        }
        assert!(comes_out_beside("org/connector-redis", "import/redis/docker-compose.yml", &folders));
        assert!(!comes_out_beside("bitnami/redis", "redis/docker-compose.yml", &BTreeSet::from(["redis"])));
        assert!(!is_local("quay.io/jupyter/base-notebook", "images/base-notebook/Dockerfile", &folders));
    }

    #[test]
    fn an_experimental_leg_is_known_by_its_own_lines() {
        let text = "include:\n  - db: a\n    experimental: true\n    image: b\n  - db: c\n    image: d\n";
        let source = Source::new(SourceId(0), "x.yml", text);
        let at = |word: &str| {
            let start = text.find(word).expect("a word of the text");
            Location::new(SourceId(0), crate::model::span::Span::new(start, start + 1))
        };
        assert!(is_experimental(&source, at("b\n")));
        assert!(!is_experimental(&source, at("d\n")));
    }

    #[test]
    fn names_lose_their_tags() {
        for (image, want) in [
            ("a/b:1", "a/b"),
            ("localhost:5000/a", "localhost:5000/a"),
            ("docker.io/library/x:1", "x"),
            ("a@sha256:b", "a"),
        ] {
            assert_eq!(untagged(image), want);
        }
    }
}
