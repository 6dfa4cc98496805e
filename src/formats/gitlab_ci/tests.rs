use super::condition::{Event, holds};
use super::{FORMAT, claims};
use crate::formats::Claim;
use crate::formats::testing::{facts_among, facts_of, names};
use crate::model::facts::Facts;
use crate::model::pin::Strength;
use crate::model::pipeline::{Job, Phase, Setting, StepKind, Value};

fn job<'f>(facts: &'f Facts, id: &str) -> &'f Job {
    facts.pipelines[0].jobs.iter().find(|job| job.id == id).unwrap_or_else(|| panic!("no job {id}"))
}

fn image_of(facts: &Facts, id: &str) -> Vec<String> {
    let all = names(facts);
    job(facts, id).images.iter().map(|id| all[id.index as usize].clone()).collect()
}

#[test]
fn names_decide() {
    for path in [".gitlab-ci.yml", "x/.gitlab-ci.yaml", "ci/test.gitlab-ci.yml", ".gitlab/ci/a/b.yml", ".gitlab-ci/lint.yml"] {
        assert_eq!(claims(path), Claim::Yes, "{path}");
    }
    assert_eq!(claims(".gitlab/issue_templates/a.md"), Claim::No);
    assert_eq!(claims("gitlab-ci.yml"), Claim::No);
}

#[test]
fn a_machine_of_hosted_runners_is_no_image_of_a_registry() {
    let text = "mac:\n  tags: [saas-macos-medium-m1]\n  image: macos-15-xcode-16\n  script: [pytest]\nother:\n  image: macos-tools\n  script: [x]\n";
    let facts = facts_of(&FORMAT, ".gitlab-ci.yml", text);
    let (mac, other) = (job(&facts, "mac"), job(&facts, "other"));
    assert!(mac.runner.is_some() && mac.images.is_empty());
    assert!(other.runner.is_none() && other.images.len() == 1);
}

#[test]
fn extends_defaults_and_references_make_the_job() {
    let text = "default:\n  image: python:3.12\n  before_script: [echo default]\n.base:\n  image: {name: 'base:1', entrypoint: ['']}\n  \
                variables: {A: '1', B: '2'}\n  script: [echo base]\n.other:\n  image: {name: other:2}\n  after_script: [echo after]\n\
                a:\n  script: [echo a]\nb:\n  extends: [.base, .other]\n  variables: {B: '3'}\n  before_script: []\n\
                c:\n  script:\n  - !reference [.base, script]\n  - echo c\n  inherit: {default: [image]}\n.hidden:\n  image: never\n";
    let facts = facts_of(&FORMAT, ".gitlab-ci.yml", text);
    assert!(facts.problems.is_empty(), "{:?}", facts.problems);
    assert_eq!(names(&facts), ["python:3.12", "other:2"]);
    assert_eq!(image_of(&facts, "a"), ["python:3.12"]);
    assert_eq!(image_of(&facts, "b"), ["other:2"]);
    assert_eq!(image_of(&facts, "c"), ["python:3.12"]);
    let env: Vec<_> = job(&facts, "b").env.iter().map(|env| (env.name.as_str(), env.value.clone())).collect();
    assert_eq!(env, [("B", Value::Literal("3".into())), ("A", Value::Literal("1".into()))]);
    let phases = |id: &str| job(&facts, id).steps.iter().map(|step| step.phase).collect::<Vec<_>>();
    assert_eq!(phases("a"), [Phase::Before, Phase::Main]);
    assert_eq!(phases("b"), [Phase::Main, Phase::After]);
    assert_eq!(phases("c"), [Phase::Main]);
    let StepKind::Run(script) = &job(&facts, "c").steps[0].kind else { panic!("no script") };
    let words: Vec<_> = script.commands.iter().map(|command| command.words[1].text.text.as_str()).collect();
    assert_eq!(words, ["base", "c"]);
    for command in &script.commands {
        let word = &command.words[1].text;
        assert_eq!(&text[word.at.span.range()], word.text);
    }
}

#[test]
fn images_stand_where_their_variables_are() {
    let text = "variables:\n  VERSION: '3.12'\n  WHOLE: \"redis:7\"\n  NESTED: $WHOLE\na:\n  image: python:$VERSION\n  services:\n  - $NESTED\n  \
                - {name: 'postgres:${PG}', alias: db}\n  script: [x]\nb:\n  image: ${CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX}/node:20.1.0\n  script: [x]\n\
                c:\n  image: python:$PY-slim\n  parallel:\n    matrix:\n    - PY: ['3.11', '3.12']\n      X: [a, b]\n  script: [x]\n\
                d:\n  image: $CI_REGISTRY_IMAGE/x:latest\n  script: [x]\ne:\n  image: $CI_REGISTRY_IMAGE/x:$CI_COMMIT_SHA\n  script: [x]\n";
    let facts = facts_of(&FORMAT, ".gitlab-ci.yml", text);
    assert_eq!(image_of(&facts, "a"), ["python:3.12"]);
    assert_eq!(image_of(&facts, "b"), ["node:20.1.0"]);
    assert_eq!(image_of(&facts, "c"), ["python:3.11-slim", "python:3.12-slim"]);
    assert_eq!(names(&facts)[1..3], ["redis:7", "postgres:${PG}"]);
    assert_eq!(facts.references[2].strength, None);
    let python = &facts.references[0].site;
    assert_eq!(&text[python.version.unwrap().at.span.range()], "3.12");
    assert!(text[..python.digest.unwrap().at.span.start as usize].ends_with("python:$VERSION"));
    assert_eq!(&text[facts.references[1].site.version.unwrap().at.span.range()], ":7");
    assert_eq!(facts.references.last().unwrap().strength, Some(Strength::Immutable));
    assert_eq!(job(&facts, "c").legs, Some(4));
    assert_eq!(job(&facts, "a").services[1].name, "db");
}

#[test]
fn includes_of_the_repository_are_followed_and_others_are_held() {
    let main = "include:\n  - local: /ci/jobs.yml\n  - 'ci/more/*.yml'\n  - project: group/ci\n    ref: v1.2.0\n    file: x.yml\n  - project: group/none\n    file: y.yml\n  \
                - component: $CI_SERVER_FQDN/a/b/c@~latest\n  - remote: https://gitlab.com/g/p/-/raw/main/x.yml\n  - template: Jobs/Build.gitlab-ci.yml\n  - local: gone.yml\n\
                lint:\n  image: main:1\n  script: [x]\n";
    let jobs = "lint:\n  image: included:1\n  stage: a\ntest:\n  extends: .t\n  script: [y]\n";
    let texts = [(".gitlab-ci.yml", main), ("ci/jobs.yml", jobs), ("ci/more/t.yml", ".t:\n  image: t:2\n")];
    let facts = facts_among(&FORMAT, &texts);
    let all = names(&facts);
    assert_eq!(all[..2], ["group/ci:v1.2.0", "group/none"]);
    assert_eq!(all[2..4], ["$CI_SERVER_FQDN/a/b/c:~latest", "https://gitlab.com/g/p/-/raw/main/x.yml:main"]);
    assert_eq!(facts.references[0].strength, Some(Strength::Exact));
    assert_eq!(facts.references[1].strength, Some(Strength::Unspecified));
    assert_eq!((image_of(&facts, "lint"), image_of(&facts, "test")), (vec!["main:1".into()], vec!["t:2".into()]));
    assert_eq!(facts.references.last().unwrap().site.whole.source.0, 2);
    assert_eq!(facts.pipelines[0].unseen.len(), 6, "{:?}", facts.pipelines[0].unseen);
    let broken = facts_among(&FORMAT, &[(".gitlab-ci.yml", "include: ci/x.yml\n"), ("ci/x.yml", "a: [\n")]);
    assert_eq!(broken.problems.iter().map(|problem| problem.at.source.0).collect::<Vec<_>>(), [1]);
    let texts = [(".gitlab/ci/a.yml", "a:\n  image: x:1\n  script: [x]\n"), (".gitlab-ci.yml", "include: .gitlab/ci/a.yml\n")];
    assert!(facts_among(&FORMAT, &texts).pipelines.is_empty());
}

#[test]
fn settings_of_jobs_are_read() {
    let text = "default: {interruptible: true, timeout: 1h 30m}\na:\n  script: [x]\n  allow_failure: true\n  retry: 2\n  needs: [b, {job: c}]\n  \
                environment: {name: prod}\n  artifacts:\n    paths: [log]\n    reports: {junit: r.xml}\nb:\n  script: [x]\n  retry: {max: 2, when: runner_system_failure}\n  \
                timeout: 3 hours\n  secrets: {T: {vault: x, file: false}, U: {vault: y}}\n  variables: {P: $DEPLOY_TOKEN, Q: 'a-$CI_COMMIT_SHA'}\n";
    let facts = facts_of(&FORMAT, ".gitlab-ci.yml", text);
    let (a, b) = (job(&facts, "a"), job(&facts, "b"));
    assert_eq!((a.tolerated.plain(), a.cancel.plain(), a.retry.plain(), a.timeout.plain()), (Some(&true), Some(&true), Some(&2), Some(&90)));
    assert_eq!((a.needs.join(" "), a.environment.as_deref(), a.artifacts.len()), ("b c".into(), Some("prod"), 2));
    assert_eq!((b.retry.clone(), b.timeout.plain()), (Setting::Absent, Some(&180)));
    assert!(a.artifacts[1].report && a.artifacts[1].on_failure && !a.artifacts[0].on_failure);
    let secret = |name: &str| Value::Secret { names: vec![name.into()], whole: true, derived: false };
    let env: Vec<_> = b.env.iter().map(|env| env.value.clone()).collect();
    assert_eq!(env, [secret("DEPLOY_TOKEN"), Value::Expression("a-$CI_COMMIT_SHA".into()), secret("T")]);
}

#[test]
fn conditions_are_decided_where_they_can_be() {
    let none = |_: &str| None;
    let table = [
        ("$CI_PIPELINE_SOURCE == \"merge_request_event\"", Some(true), Some(false)),
        ("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", Some(false), Some(false)),
        ("$CI_COMMIT_BRANCH", Some(false), Some(true)),
        ("$CI_COMMIT_TAG =~ /^v/", Some(false), Some(false)),
        ("$CI_COMMIT_TAG == null && ($CI_MERGE_REQUEST_IID || $X)", Some(true), None),
        ("$CI_PIPELINE_SOURCE =~ /^(push|web)$/", Some(false), Some(true)),
        ("$CI_COMMIT_BRANCH != \"main\"", Some(true), Some(true)),
        ("$X == 'y'", None, None),
        ("$CI_COMMIT_BRANCH =~ /^feature/", Some(false), None),
        ("not an expression (", None, None),
    ];
    for (text, request, branch) in table {
        assert_eq!(holds(text, Event::MergeRequest, &none), request, "{text}");
        assert_eq!(holds(text, Event::Branch, &none), branch, "{text}");
    }
}

#[test]
fn what_starts_a_job_is_told() {
    let jobs = "plain:\n  script: [x]\nmr:\n  script: [x]\n  rules: [{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}]\ntag:\n  script: [x]\n  \
                rules: [{if: $CI_COMMIT_TAG}]\nmain:\n  script: [x]\n  only: [main]\nchanged:\n  script: [x]\n  rules: [{changes: ['*.py']}]\n\
                hidden:\n  script: [x]\n  rules: [{if: '$X == \"1\"'}]\nhand:\n  script: [x]\n  when: manual\nreqs:\n  script: [x]\n  only: [merge_requests]\n\
                unless:\n  script: [x]\n  except: {refs: [schedules]}\nelse:\n  script: [x]\n  rules: [{if: $X, when: never}, {when: on_success}]\n";
    let told = |text: &str| {
        let facts = facts_of(&FORMAT, ".gitlab-ci.yml", text);
        facts.pipelines[0].jobs.iter().map(|job| (job.id.clone(), job.on_patch)).collect::<Vec<_>>()
    };
    let (yes, no, open) = (Some(true), Some(false), None);
    let want = [yes, yes, no, no, yes, open, no, yes, yes, open];
    assert_eq!(told(jobs).iter().map(|(_, told)| *told).collect::<Vec<_>>(), want, "{:?}", told(jobs));
    let workflow = format!("workflow: {{rules: [{{if: $CI_COMMIT_TAG}}]}}\n{jobs}");
    assert!(told(&workflow).iter().all(|(_, told)| *told == no));
    let facts = facts_of(&FORMAT, ".gitlab-ci.yml", &workflow);
    assert!(facts.pipelines[0].triggers.push.as_ref().unwrap().tags_only);
    assert!(!facts.pipelines[0].triggers.patch);
}

#[test]
fn hostile_files_are_read_to_the_end() {
    let text = "a: {extends: b, script: [x]}\nb: {extends: a}\nc: {script: !reference [c, script]}\nd: {script: [!reference [d, script]], image: $I}\nvariables: {I: $J, J: $I}\n";
    let facts = facts_of(&FORMAT, ".gitlab-ci.yml", text);
    let ids: Vec<_> = facts.pipelines[0].jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "d"]);
    let many: String = ('A'..='Y').zip('B'..='Z').map(|(a, b)| format!("  {a}: \"{}\"\n", format!("${b}").repeat(50))).collect();
    facts_of(&FORMAT, ".gitlab-ci.yml", &format!("a: {{script: [x], image: $A}}\nvariables:\n{many}  Z: zz\n"));
    for at in 0..text.len() {
        facts_of(&FORMAT, ".gitlab-ci.yml", &text[..at]);
    }
}
