//! `check --fix` and `upgrade` on every CI system, from end to end: images come from a real registry, refs from a real git server, both on
//! loopback. What has no public look-up is held with the reason and the way out.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use std::fs;
use support::Sandbox;
use support::fix_world::{World, commit_all, read};
use support::git_server::git;
use support::oci_server::Registry;
use support::upgrade_world;

/// A file, and what it is afterwards. `IMG` stands for the image's name, `DIGEST` for its digest, `SHA` for the commit of `v1.1.0`.
struct Case {
    path: &'static str,
    before: &'static str,
    after: &'static str,
}

const CASES: &[Case] = &[
    Case {
        path: ".circleci/config.yml",
        before: "version: 2.1\nexecutors:\n  py:\n    docker:\n      - image: IMG:1  # why\n      - {image: 'IMG'}\njobs:\n  build:\n    executor: py\n    steps: [checkout, run: make all]\n",
        after: "version: 2.1\nexecutors:\n  py:\n    docker:\n      - image: IMG:1.2.3@DIGEST  # why\n      - {image: 'IMG:1.2.3@DIGEST'}\njobs:\n  build:\n    executor: py\n    steps: [checkout, run: make all]\n",
    },
    Case {
        path: "azure-pipelines.yml",
        before: "trigger: [main]\nvariables:\n  TAG: latest\nresources:\n  containers:\n    - container: py\n      image: IMG:$(TAG)\n  repositories:\n    - repository: t\n      type: github\n      name: team/action\n      endpoint: x\n      ref: refs/tags/v1\njobs:\n  - job: a\n    pool: {vmImage: ubuntu-24.04}\n    container: py\n    services:\n      db: \"IMG:1\"\n    steps:\n      - bash: make all\n      - template: all.yml@t\n",
        after: "trigger: [main]\nvariables:\n  TAG: 1.2.3\nresources:\n  containers:\n    - container: py\n      image: IMG:$(TAG)@DIGEST\n  repositories:\n    - repository: t\n      type: github\n      name: team/action\n      endpoint: x\n      ref: SHA # v1.1.0\njobs:\n  - job: a\n    pool: {vmImage: ubuntu-24.04}\n    container: py\n    services:\n      db: \"IMG:1.2.3@DIGEST\"\n    steps:\n      - bash: make all\n      - template: all.yml@t\n",
    },
    Case {
        path: "bitbucket-pipelines.yml",
        before: "image:\n  name: IMG:1\npipelines:\n  default:\n    - step:\n        script:\n          - make all\n          - pipe: team/action:v1\n          - pipe: docker://IMG\n",
        after: "image:\n  name: IMG:1.2.3@DIGEST\npipelines:\n  default:\n    - step:\n        script:\n          - make all\n          - pipe: team/action:v1.1.0\n          - pipe: docker://IMG:1.2.3@DIGEST\n",
    },
    Case {
        path: ".drone.yml",
        before: "kind: pipeline\ntype: docker\nname: a\nsteps:\n- name: b\n  image: IMG\n  commands: [make all]\n- name: c\n  image: IMG:1\n  settings: {a: b}\nservices:\n- {name: db, image: IMG:latest}\n",
        after: "kind: pipeline\ntype: docker\nname: a\nsteps:\n- name: b\n  image: IMG:1.2.3@DIGEST\n  commands: [make all]\n- name: c\n  image: IMG:1.2.3@DIGEST\n  settings: {a: b}\nservices:\n- {name: db, image: IMG:1.2.3@DIGEST}\n",
    },
    Case {
        path: ".woodpecker.yml",
        before: "when: [{event: pull_request}]\nmatrix:\n  IMAGE: ['IMG:1']\nsteps:\n  b:\n    image: ${IMAGE}\n    commands: make all\n  c:\n    image: IMG\n    settings: {a: b}\n",
        after: "when: [{event: pull_request}]\nmatrix:\n  IMAGE: ['IMG:1.2.3@DIGEST']\nsteps:\n  b:\n    image: ${IMAGE}\n    commands: make all\n  c:\n    image: IMG:1.2.3@DIGEST\n    settings: {a: b}\n",
    },
    Case {
        path: ".buildkite/pipeline.yml",
        before: "steps:\n  - label: a\n    command: make all\n    timeout_in_minutes: 20\n    plugins:\n      - team/action#v1:\n          image: x\n      - docker#v1:\n          image: IMG:1\n      - team/action#main\n",
        after: "steps:\n  - label: a\n    command: make all\n    timeout_in_minutes: 20\n    plugins:\n      - team/action#SHA: # v1.1.0\n          image: x\n      - docker#SHA: # v1.1.0\n          image: IMG:1.2.3@DIGEST\n      - team/action#TIP # main\n",
    },
    Case {
        path: "cloudbuild.yaml",
        before: "steps:\n  - name: IMG:$_TAG\n    script: make all\n  - name: \"IMG\"\n    entrypoint: bash\n    args: ['-ce', 'docker run IMG:latest']\nsubstitutions:\n  _TAG: '1'\ntimeout: 1200s\n",
        after: "steps:\n  - name: IMG:$_TAG@DIGEST\n    script: make all\n  - name: \"IMG:1.2.3@DIGEST\"\n    entrypoint: bash\n    args: ['-ce', 'docker run IMG:1.2.3@DIGEST']\nsubstitutions:\n  _TAG: '1.2.3'\ntimeout: 1200s\n",
    },
    Case {
        path: "ci/pipeline.yaml",
        before: "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: a}\nspec:\n  tasks:\n    - name: git\n      taskRef:\n        resolver: git\n        params:\n          - {name: url, value: https://github.com/team/action.git}\n          - name: revision\n            value: v1\n    - name: bundle\n      taskRef:\n        resolver: bundles\n        params:\n          - name: bundle\n            value: IMG:1\n          - {name: name, value: a}\n    - name: own\n      taskSpec:\n        params: [{name: image, default: 'IMG:1'}]\n        steps:\n          - image: $(params.image)\n            script: make all\n        sidecars: [{name: db, image: IMG}]\n",
        after: "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: a}\nspec:\n  tasks:\n    - name: git\n      taskRef:\n        resolver: git\n        params:\n          - {name: url, value: https://github.com/team/action.git}\n          - name: revision\n            value: SHA # v1.1.0\n    - name: bundle\n      taskRef:\n        resolver: bundles\n        params:\n          - name: bundle\n            value: IMG:1.2.3@DIGEST\n          - {name: name, value: a}\n    - name: own\n      taskSpec:\n        params: [{name: image, default: 'IMG:1.2.3@DIGEST'}]\n        steps:\n          - image: $(params.image)\n            script: make all\n        sidecars: [{name: db, image: IMG:1.2.3@DIGEST}]\n",
    },
    Case {
        path: "ci/workflow.yaml",
        before: "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: a-}\nspec:\n  entrypoint: a\n  arguments: {parameters: [{name: tag, value: latest}]}\n  templates:\n    - name: a\n      container:\n        image: IMG:{{workflow.parameters.tag}}\n        command: [make, all]\n",
        after: "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: a-}\nspec:\n  entrypoint: a\n  arguments: {parameters: [{name: tag, value: 1.2.3}]}\n  templates:\n    - name: a\n      container:\n        image: IMG:{{workflow.parameters.tag}}@DIGEST\n        command: [make, all]\n",
    },
    Case {
        path: ".cirrus.yml",
        before: "task:\n  name: a\n  container:\n    image: IMG\n    additional_containers:\n      - {name: db, image: 'IMG:1', port: 1}\n  all_script: make all\n",
        after: "task:\n  name: a\n  container:\n    image: IMG:1.2.3@DIGEST\n    additional_containers:\n      - {name: db, image: 'IMG:1.2.3@DIGEST', port: 1}\n  all_script: make all\n",
    },
    Case {
        path: ".travis.yml",
        before: "language: python\ndist: jammy\npython: '3.12'\nimport:\n  - team/action:py.yml@v1\ninstall: skip\nscript: docker run --rm IMG\n",
        after: "language: python\ndist: jammy\npython: '3.12'\nimport:\n  - team/action:py.yml@SHA # v1.1.0\ninstall: skip\nscript: docker run --rm IMG:1.2.3@DIGEST\n",
    },
    Case {
        path: "appveyor.yml",
        before: "image: Ubuntu2204\nbuild: off\ntest_script:\n  - sh: docker run --rm IMG:1\n",
        after: "image: Ubuntu2204\nbuild: off\ntest_script:\n  - sh: docker run --rm IMG:1.2.3@DIGEST\n",
    },
    Case {
        path: "Jenkinsfile",
        before: "pipeline {\n    agent { docker { image 'IMG:1' } }\n    stages { stage('A') { steps { sh 'docker run --rm IMG' } } }\n}\n",
        after: "pipeline {\n    agent { docker { image 'IMG:1.2.3@DIGEST' } }\n    stages { stage('A') { steps { sh 'docker run --rm IMG:1.2.3@DIGEST' } } }\n}\n",
    },
    Case {
        path: "docker-bake.hcl",
        before: "variable \"TAG\" { default = \"1\" }\ntarget \"app\" {\n  contexts = { a = \"docker-image://IMG:${TAG}\", b = \"https://github.com/team/action.git#v1\" }\n}\n",
        after: "variable \"TAG\" { default = \"1.2.3\" }\ntarget \"app\" {\n  contexts = { a = \"docker-image://IMG:${TAG}@DIGEST\", b = \"https://github.com/team/action.git#v1\" }\n}\n",
    },
    Case {
        path: "skaffold.yaml",
        before: "apiVersion: skaffold/v4beta11\nkind: Config\nverify:\n  - name: a\n    container:\n      name: a\n      image: IMG\n",
        after: "apiVersion: skaffold/v4beta11\nkind: Config\nverify:\n  - name: a\n    container:\n      name: a\n      image: IMG:1.2.3@DIGEST\n",
    },
    Case {
        path: "chart/values.yaml",
        before: "proxy:\n  image: IMG:1\napp:\n  image:\n    repository: IMG\n    tag: \"1\"\n    digest: \"\"\nold:\n  image:\n    repository: IMG\n    tag: latest\n",
        after: "proxy:\n  image: IMG:1.2.3@DIGEST\napp:\n  image:\n    repository: IMG\n    tag: \"1.2.3\"\n    digest: \"DIGEST\"\nold:\n  image:\n    repository: IMG\n    tag: 1.2.3@DIGEST\n",
    },
    Case {
        path: "ansible/requirements.yml",
        before: "roles:\n  - src: https://github.com/team/action.git\n    name: a\n    version: v1\n",
        after: "roles:\n  - src: https://github.com/team/action.git\n    name: a\n    version: v1\n",
    },
];

fn sandbox(name: &str, world: &World) -> Sandbox {
    let image = format!("{}/team/app", world.registry.host);
    let mut sandbox = Sandbox::new(name).file("chart/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n");
    for case in CASES {
        sandbox = sandbox.file(case.path, case.before.replace("IMG", &image));
    }
    sandbox
}

struct Made {
    world: World,
    digest: String,
    commits: Vec<String>,
    plugin: String,
}

fn made() -> Made {
    let world = World::new();
    let digest = world.registry.push("team/app", &["1", "1.2.3", "latest"], "one");
    let commits = world.git.repository("team/action", &[&["v1.0.0"], &["a:v1.1.0", "v1"], &[]]);
    let plugin = world.git.repository("buildkite-plugins/docker-buildkite-plugin", &[&["v1.1.0", "v1"]]);
    world.git.repository("team/action-buildkite-plugin", &[&["v1.0.0"], &["a:v1.1.0", "v1"], &[]]);
    Made { world, digest, commits, plugin: plugin[0].clone() }
}

impl Made {
    /// Files that are not as they should be.
    fn wrong(&self, sandbox: &Sandbox) -> String {
        let image = format!("{}/team/app", self.world.registry.host);
        let mut wrong = Vec::new();
        for case in CASES {
            let text = read(sandbox, case.path).replace(&image, "IMG").replace(&self.digest, "DIGEST");
            let text =
                text.replace(&self.commits[1], "SHA").replace(&self.commits[2], "TIP").replace(&self.plugin, "SHA");
            if text != case.after {
                wrong.push(format!("{}\n{text}--- instead of\n{}", case.path, case.after));
            }
        }
        wrong.join("\n")
    }
}

#[test]
fn images_and_refs_of_every_system_are_fixed() {
    let made = made();
    let sandbox = sandbox("systems", &made.world);
    commit_all(&sandbox);
    // A dry run says the same as a patch that can be applied.
    let dry = made.world.run(&sandbox, &["check", "--diff"]);
    assert_eq!((dry.code, git(&sandbox.0, &["status", "--porcelain"]).as_str()), (1, ""), "{}", dry.err);
    let patch = made.world.home.0.join("patch");
    fs::write(&patch, &dry.out).expect("a file");
    git(&sandbox.0, &["apply", patch.to_str().expect("text")]);
    assert_eq!(made.wrong(&sandbox), "", "--diff: {}", dry.err);
    git(&sandbox.0, &["checkout", "--quiet", "."]);
    let run = made.world.run(&sandbox, &["check", "--fix"]);
    assert_eq!(made.wrong(&sandbox), "", "{}\n{}", run.out, run.err);
    assert!(!run.out.contains("Not fixed"), "{}", run.out);
    assert_eq!(run.code, 0, "{}", run.out);
    // Twice is once.
    git(&sandbox.0, &["commit", "--quiet", "-am", "fixed"]);
    made.world.run(&sandbox, &["check", "--fix"]);
    assert_eq!(git(&sandbox.0, &["status", "--porcelain"]), "");
}

#[test]
fn what_nobody_can_be_asked_about_is_held_with_the_way_out() {
    let world = World::new();
    let azure = "trigger: [main]\nresources:\n  repositories:\n    - {repository: t, type: git, name: Shop/templates, ref: refs/heads/main}\n\
                 pool: {vmImage: ubuntu-24.04}\nsteps:\n  - template: all.yml@t\n";
    let sandbox = Sandbox::new("held")
        .file(
            "Jenkinsfile",
            "@Library('steps@main') _\npipeline { agent any\n stages { stage('A') { steps { sh 'make all' } } } }\n",
        )
        .file("bitbucket-pipelines.yml", "pipelines:\n  default:\n    import: shared:main:all\n")
        .file("azure-pipelines.yml", azure);
    commit_all(&sandbox);
    let run = world.run(&sandbox, &["check", "--fix"]);
    for part in [
        "steps@main: no file says which server holds `steps`",
        "shared@main: no file says which server holds `shared`",
        "Shop/templates@refs/heads/main: no file says which server holds `Shop/templates`",
    ] {
        assert!(run.out.contains(part), "{part}\n{}", run.out);
    }
    assert_eq!((run.code, git(&sandbox.0, &["status", "--porcelain"]).as_str()), (1, ""));
    assert_eq!(world.git.requests().len(), 0, "nobody is asked in vain");
}

/// Pinned files, and what an upgrade makes of them: `OLD` and `NEW` stand for digests, `V10` and `V11` for commits.
const PINNED: &[Case] = &[
    Case {
        path: ".circleci/config.yml",
        before: "version: 2.1\norbs: {slack: acme/slack@5.0.0}\njobs:\n  build:\n    docker: [{image: 'IMG:1.0.0@OLD'}]\n    steps: [checkout, run: make all]\n",
        after: "version: 2.1\norbs: {slack: acme/slack@5.0.0}\njobs:\n  build:\n    docker: [{image: 'IMG:1.1.0@NEW'}]\n    steps: [checkout, run: make all]\n",
    },
    Case {
        path: "azure-pipelines.yml",
        before: "trigger: [main]\nvariables: {TAG: 1.0.0}\nresources:\n  repositories:\n    - repository: t\n      type: github\n      name: team/action\n      endpoint: x\n      ref: refs/tags/v1.0.0\npool: {vmImage: ubuntu-24.04}\ncontainer: IMG:$(TAG)@OLD\nsteps:\n  - template: all.yml@t\n",
        after: "trigger: [main]\nvariables: {TAG: 1.1.0}\nresources:\n  repositories:\n    - repository: t\n      type: github\n      name: team/action\n      endpoint: x\n      ref: refs/tags/v1.1.0\npool: {vmImage: ubuntu-24.04}\ncontainer: IMG:$(TAG)@NEW\nsteps:\n  - template: all.yml@t\n",
    },
    Case {
        path: "bitbucket-pipelines.yml",
        before: "image: IMG:1.0.0@OLD\npipelines:\n  default:\n    - step:\n        script:\n          - pipe: team/action:v1.0.0\n          - pipe: docker://IMG:1.0.0@OLD\n",
        after: "image: IMG:1.1.0@NEW\npipelines:\n  default:\n    - step:\n        script:\n          - pipe: team/action:v1.1.0\n          - pipe: docker://IMG:1.1.0@NEW\n",
    },
    Case {
        path: ".buildkite/pipeline.yml",
        before: "steps:\n  - label: a\n    command: make all\n    plugins:\n      - team/action#v1.0.0:\n          image: x\n      - docker#V10: # v1.0.0\n          image: IMG:1.0.0@OLD\n",
        after: "steps:\n  - label: a\n    command: make all\n    plugins:\n      - team/action#v1.1.0:\n          image: x\n      - docker#V11: # v1.1.0\n          image: IMG:1.1.0@NEW\n",
    },
    Case {
        path: "ci/pipeline.yaml",
        before: "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: a}\nspec:\n  tasks:\n    - name: git\n      taskRef:\n        resolver: git\n        params:\n          - {name: url, value: https://github.com/team/action.git}\n          - name: revision\n            value: v1.0.0\n    - name: bundle\n      taskRef:\n        resolver: bundles\n        params:\n          - {name: bundle, value: 'IMG:1.0.0@OLD'}\n          - {name: name, value: a}\n",
        after: "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: a}\nspec:\n  tasks:\n    - name: git\n      taskRef:\n        resolver: git\n        params:\n          - {name: url, value: https://github.com/team/action.git}\n          - name: revision\n            value: v1.1.0\n    - name: bundle\n      taskRef:\n        resolver: bundles\n        params:\n          - {name: bundle, value: 'IMG:1.1.0@NEW'}\n          - {name: name, value: a}\n",
    },
    Case {
        path: ".drone.yml",
        before: "kind: pipeline\ntype: docker\nname: a\nsteps:\n- {name: b, image: IMG:1.0.0@OLD, commands: [make all]}\n",
        after: "kind: pipeline\ntype: docker\nname: a\nsteps:\n- {name: b, image: IMG:1.1.0@NEW, commands: [make all]}\n",
    },
    Case {
        path: ".woodpecker.yml",
        before: "when: [{event: pull_request}]\nsteps:\n  b:\n    image: IMG:1.0.0@OLD\n    commands: make all\n",
        after: "when: [{event: pull_request}]\nsteps:\n  b:\n    image: IMG:1.1.0@NEW\n    commands: make all\n",
    },
    Case {
        path: "cloudbuild.yaml",
        before: "steps:\n  - name: IMG:$_TAG@OLD\n    script: make all\nsubstitutions: {_TAG: 1.0.0}\n",
        after: "steps:\n  - name: IMG:$_TAG@NEW\n    script: make all\nsubstitutions: {_TAG: 1.1.0}\n",
    },
    Case {
        path: ".travis.yml",
        before: "language: python\nimport:\n  - team/action:py.yml@v1.0.0\nscript: docker run --rm IMG:1.0.0@OLD\n",
        after: "language: python\nimport:\n  - team/action:py.yml@v1.1.0\nscript: docker run --rm IMG:1.1.0@NEW\n",
    },
    Case {
        path: "Jenkinsfile",
        before: "pipeline {\n    agent { docker { image 'IMG:1.0.0@OLD' } }\n    stages { stage('A') { steps { sh 'make all' } } }\n}\n",
        after: "pipeline {\n    agent { docker { image 'IMG:1.1.0@NEW' } }\n    stages { stage('A') { steps { sh 'make all' } } }\n}\n",
    },
    Case {
        path: "docker-bake.hcl",
        before: "target \"app\" {\n  contexts = {\n    a = \"docker-image://IMG:1.0.0@OLD\"\n    b = \"https://github.com/team/action.git#v1.0.0\"\n  }\n}\n",
        after: "target \"app\" {\n  contexts = {\n    a = \"docker-image://IMG:1.1.0@NEW\"\n    b = \"https://github.com/team/action.git#v1.1.0\"\n  }\n}\n",
    },
    Case {
        path: "skaffold.yaml",
        before: "apiVersion: skaffold/v4beta11\nkind: Config\nverify:\n  - name: a\n    container: {name: a, image: 'IMG:1.0.0@OLD'}\n",
        after: "apiVersion: skaffold/v4beta11\nkind: Config\nverify:\n  - name: a\n    container: {name: a, image: 'IMG:1.1.0@NEW'}\n",
    },
    Case {
        path: "chart/values.yaml",
        before: "app:\n  image:\n    repository: IMG\n    tag: 1.0.0\n    digest: OLD\n",
        after: "app:\n  image:\n    repository: IMG\n    tag: 1.1.0\n    digest: NEW\n",
    },
    Case {
        path: "ansible/requirements.yml",
        before: "roles:\n  - src: https://github.com/team/action.git\n    name: a\n    version: v1.0.0\n",
        after: "roles:\n  - src: https://github.com/team/action.git\n    name: a\n    version: v1.1.0\n",
    },
];

#[test]
fn pins_of_every_system_are_raised_by_branches() {
    let mut world = upgrade_world::World::new("systems-upgrade");
    let registry = Registry::start();
    let old = registry.push("team/app", &["1.0.0"], "one");
    let new = registry.push("team/app", &["1.1.0"], "two");
    let tags: &[&[&str]] = &[&["v1.0.0"], &["v1.1.0"]];
    world.actions.repository("team/action", tags);
    world.actions.repository("team/action.git", tags);
    world.actions.repository("team/action-buildkite-plugin", tags);
    let plugin = world.actions.repository("buildkite-plugins/docker-buildkite-plugin", tags);
    let home = world.folder.0.join("home");
    fs::create_dir_all(&home).expect("a folder");
    let hosts = ["github.com", "bitbucket.org"];
    let rewrite = |host| format!("[url \"{}/\"]\n\tinsteadOf = https://{host}/\n", world.actions.address);
    fs::write(home.join(".gitconfig"), hosts.map(rewrite).concat()).expect("a file");
    let image = format!("{}/team/app", registry.host);
    world.registry = Some(registry);
    let fill = |text: &str| {
        let text = text.replace("IMG", &image).replace("OLD", &old).replace("NEW", &new);
        text.replace("V10", &plugin[0]).replace("V11", &plugin[1])
    };
    let mut files: Vec<(&str, String)> = PINNED.iter().map(|case| (case.path, fill(case.before))).collect();
    files.push(("chart/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n".to_string()));
    let texts: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    world.commit(&texts);
    world.sync();
    let (code, report) = world.upgrade(&["--only", "oci:*", "--only", "git:*"]);
    // Each branch moves one thing; together they are what is wanted.
    let branches = world.branches();
    let mut wrong = Vec::new();
    for case in PINNED {
        let before = fill(case.before);
        let mut lines: Vec<String> = before.lines().map(str::to_string).collect();
        for branch in &branches {
            let text = world.show(&format!("pinguard/{branch}"), case.path);
            for (line, (was, is)) in lines.iter_mut().zip(before.lines().zip(text.lines())) {
                if was != is {
                    *line = is.to_string();
                }
            }
        }
        let (got, want) = (lines.join("\n") + "\n", fill(case.after));
        if got != want {
            wrong.push(format!("{}\n{got}--- instead of\n{want}", case.path));
        }
    }
    assert!(wrong.is_empty(), "{code} {branches:?}\n{}\n{report:#}", wrong.join("\n"));
    assert_eq!(code, 0, "{report:#}");
}
