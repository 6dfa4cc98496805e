//! Tables of command lines and what they mean.

use super::read_script;
use crate::model::facts::Facts;
use crate::model::pin::{Precision, Strength};
use crate::model::reference::{Origin, ReferenceId};
use crate::model::script::{BuildImage, Deed, Download, Enforcement, Install, Script, Shell, Word};
use crate::model::span::SourceId;
use crate::model::text::Mapped;

/// The words of a command line after nothing was taken off.
pub fn words(line: &str) -> Vec<Word> {
    let text = Mapped::verbatim(line, SourceId(0), 0);
    crate::syntax::shell::parse(&text, Shell::ERREXIT).remove(0).words
}

struct Read {
    text: String,
    facts: Facts,
    script: Script,
}

fn read(text: &str) -> Read {
    let mut facts = Facts::of(SourceId(0), "test");
    let script = read_script(&Mapped::verbatim(text, SourceId(0), 0), Shell::ERREXIT, "", "run", &mut facts);
    Read { text: text.to_string(), facts, script }
}

fn strength(strength: Option<Strength>) -> &'static str {
    match strength {
        None => "?",
        Some(Strength::Unspecified) => "-",
        Some(Strength::Floating(Precision::Word)) => "word",
        Some(Strength::Floating(Precision::Major)) => "major",
        Some(Strength::Floating(Precision::Minor)) => "minor",
        Some(Strength::Exact) => "exact",
        Some(Strength::Immutable) => "immutable",
    }
}

impl Read {
    /// `name[>=2]:word`: name, version slot, strength.
    fn reference(&self, id: ReferenceId) -> String {
        let reference = &self.facts.references[id.index as usize];
        let slot =
            reference.site.version.or(reference.site.digest).map_or("~", |slot| &self.text[slot.at.span.range()]);
        let origin = match &reference.origin {
            Origin::Vcs(_) => "vcs ",
            Origin::Url(_) => "url ",
            _ => "",
        };
        let extras =
            if reference.extras.is_empty() { String::new() } else { format!("{{{}}}", reference.extras.join(",")) };
        format!("{origin}{}{extras}[{slot}]:{}", reference.subject.name, strength(reference.strength))
    }

    fn install(&self, install: &Install) -> String {
        let mut parts = vec![format!("{:?}", install.tool)];
        match install.enforcement {
            Enforcement::NoLock => {}
            other => parts.push(format!("{other:?}").to_lowercase()),
        }
        parts.extend(install.references.iter().map(|id| self.reference(*id)));
        parts.extend(
            install
                .files
                .iter()
                .map(|file| format!("{}{}", if file.constraint { "-c=" } else { "-r=" }, file.path.text.text)),
        );
        parts.extend(install.projects.iter().map(|word| format!("project={}", word.text.text)));
        parts.extend(install.opaque.iter().map(|word| format!("opaque={}", word.text.text)));
        parts.extend(install.extra_indexes.iter().map(|word| format!("extra={}", word.text.text)));
        parts.extend(install.groups.iter().map(|group| format!("+{group}")));
        let flags = [
            (install.no_deps, "no-deps"),
            (install.require_hashes, "hashes"),
            (install.upgrade, "upgrade"),
            (install.no_index, "no-index"),
        ];
        parts.extend(flags.iter().filter(|(on, _)| *on).map(|(_, name)| name.to_string()));
        parts.join(" ")
    }

    fn build(&self, build: &BuildImage) -> String {
        let text = |word: &Option<Word>| word.as_ref().map_or("-".to_string(), |word| word.text.text.clone());
        let tags: Vec<&str> = build.tags.iter().map(|word| word.text.text.as_str()).collect();
        let flags = format!("{}{}", if build.pull { " pull" } else { "" }, if build.cached { " cached" } else { "" });
        format!("build {} {} {}{flags}", text(&build.file), text(&build.context), tags.join(","))
    }

    fn download(&self, download: &Download) -> String {
        let run = download.run_by.map_or("kept".to_string(), |at| format!("run by `{}`", &self.text[at.span.range()]));
        format!("download {} {run}{}", download.url.text.text, if download.verified { " verified" } else { "" })
    }

    fn deed(&self, deed: &Deed) -> String {
        match deed {
            Deed::Install(install) => self.install(install),
            Deed::RunTool(id) => format!("tool {}", self.reference(*id)),
            Deed::UseImage(id) => format!("image {}", self.reference(*id)),
            Deed::BuildImage(build) => self.build(build),
            Deed::Download(download) => self.download(download),
            Deed::Clone(id) => format!("clone {}", self.reference(*id)),
            Deed::Check { kind, tool } => format!("{kind:?}({tool})"),
            Deed::Call(word) => format!("call {}", word.text.text),
            Deed::RunEntry { tool, entries } => format!("{tool}:{}", entries.join(",")),
            Deed::Upgrade { what } => format!("upgrade {what}"),
            Deed::Relock { tool, output } => {
                let output = output.as_ref().map_or(String::new(), |word| format!(" {}", word.text.text));
                format!("relock {tool:?}{output}")
            }
            Deed::VerifyLock { tool } => format!("verify {tool:?}"),
            Deed::Dump(_) | Deed::Report(_) | Deed::Reveal(_) => "shows".to_string(),
        }
    }

    fn deeds(&self) -> String {
        let deeds = self.script.commands.iter().flat_map(|command| &command.deeds);
        // What commands show has its own tests.
        deeds.map(|deed| self.deed(deed)).filter(|deed| deed != "shows").collect::<Vec<_>>().join("; ")
    }
}

fn check(table: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (line, expected) in table {
        let found = read(line).deeds();
        if found != *expected {
            wrong.push(format!("{line}\n   wants {expected}\n   found {found}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn pip_installs() {
    check(&[
        ("pip install requests", "Pip requests[]:-"),
        ("pip install 'requests>=2'", "Pip requests[>=2]:word"),
        ("pip install requests==2.32.3", "Pip requests[==2.32.3]:exact"),
        ("pip install 'Foo.Bar[b,a]~=1.4.2'", "Pip foo-bar{a,b}[~=1.4.2]:minor"),
        ("pip install -c constraints.txt requests", "Pip requests[]:- -c=constraints.txt"),
        ("pip install -r requirements.txt -rdev.txt", "Pip -r=requirements.txt -r=dev.txt"),
        ("pip install --requirement=a.txt", "Pip -r=a.txt"),
        ("pip install ./pkg", "Pip project=./pkg"),
        ("pip install .", "Pip project=."),
        ("pip install -e '.[test,dev]'", "Pip project=.[test,dev] +test +dev"),
        ("pip install -e . -e ../other", "Pip project=. project=../other"),
        ("pip install $PKG", "Pip opaque=$PKG"),
        ("pip install foo==$VERSION", "Pip foo[==$VERSION]:?"),
        ("pip install 'django==${{ matrix.django }}'", "Pip django[==${{ matrix.django }}]:?"),
        ("pip install ${{ matrix.extra }}", "Pip opaque=${{ matrix.extra }}"),
        ("pip install -i https://x/simple -t out foo", "Pip foo[]:-"),
        ("pip install --index-url https://x/simple foo==1", "Pip foo[==1]:exact"),
        ("pip install --extra-index-url https://x foo", "Pip foo[]:- extra=https://x"),
        ("pip install -U pip setuptools", "Pip pip[]:- setuptools[]:- upgrade"),
        ("pip install -qU foo", "Pip foo[]:- upgrade"),
        ("pip install --no-deps --require-hashes -r r.txt", "Pip -r=r.txt no-deps hashes"),
        ("pip install --no-index --find-links dist foo", "Pip foo[]:- no-index"),
        ("pip install dist/*.whl", "Pip project=dist/*.whl"),
        ("pip install foo-1.0-py3-none-any.whl", "Pip project=foo-1.0-py3-none-any.whl"),
        ("pip install \"$GITHUB_WORKSPACE/dist/x.whl\"", "Pip project=$GITHUB_WORKSPACE/dist/x.whl"),
        ("pip install git+https://github.com/a/b@main", "Pip vcs a/b[@main]:word"),
        (
            "pip install git+https://github.com/a/b@0123456789abcdef0123456789abcdef01234567",
            "Pip vcs a/b[@0123456789abcdef0123456789abcdef01234567]:immutable",
        ),
        ("pip install git+https://github.com/a/b", "Pip vcs a/b[]:-"),
        ("pip install 'b @ git+https://github.com/a/b@v1.2.3'", "Pip vcs b[@v1.2.3]:exact"),
        ("pip install -e git+https://github.com/a/b@main#egg=b", "Pip vcs b[@main]:word"),
        ("pip install -q pytest", "Pip pytest[]:-"),
        ("pip install --group dev", "Pip +dev"),
        ("pip install", ""),
        ("pip install --help", ""),
        ("pip list; pip --version; pip check; pip freeze", ""),
        ("pip --no-cache-dir install foo", "Pip foo[]:-"),
        ("pip3.11 install foo; /opt/venv/bin/pip install foo", "Pip foo[]:-; Pip foo[]:-"),
        ("python -m pip install foo", "Pip foo[]:-"),
        ("python3.11 -Im pip install foo", "Pip foo[]:-"),
        ("py -3.11 -m pip install foo", "Pip foo[]:-"),
        ("$PYTHON -m pip install foo", "Pip foo[]:-"),
        ("$(PIP) install foo", "Pip foo[]:-"),
        ("sudo -E -H pip install foo", "Pip foo[]:-"),
        ("sudo -u bob env A=b pip install foo", "Pip foo[]:-"),
        ("time nice -n 5 timeout -k 5 60 pip install foo", "Pip foo[]:-"),
        ("cat r.txt | xargs -n 1 pip install", "Pip opaque=xargs"),
        ("PIP_CONSTRAINT=c.txt pip install foo", "Pip foo[]:- -c=c.txt"),
        ("export PIP_CONSTRAINT=c.txt\npip install foo", "Pip foo[]:- -c=c.txt"),
        ("pip install 'foo>=1' && bar", "Pip foo[>=1]:word"),
        ("pip download -d out foo; pip wheel -w out .", "Pip foo[]:-; Pip project=."),
        ("pip-sync a.txt b.txt", "PipSync frozen -r=a.txt -r=b.txt"),
        ("python -m piptools sync", "PipSync frozen"),
        ("pip-compile --upgrade -o r.txt r.in", "upgrade r.txt; relock PipSync r.txt"),
        (
            "pip-compile x/r.in; pip-compile; pip-compile -n r.in",
            "relock PipSync x/r.txt; relock PipSync requirements.txt",
        ),
    ]);
}

#[test]
fn uv_projects_tools_and_packages() {
    check(&[
        ("uv sync", "Uv loose project=."),
        ("uv sync --locked --group test --extra x", "Uv checked project=. +test +x"),
        ("uv sync --frozen --all-extras", "Uv frozen project=. +--all-extras"),
        ("UV_LOCKED=1 uv sync", "Uv checked project=."),
        ("env UV_FROZEN=true uv sync", "Uv frozen project=."),
        ("export UV_LOCKED=1; uv run pytest", "Uv checked project=.; Test(pytest)"),
        ("UV_LOCKED=0 uv sync", "Uv loose project=."),
        ("uv sync -U", "upgrade uv.lock; Uv loose project=. upgrade"),
        ("uv sync --check", ""),
        ("uv --directory sub sync --locked", "Uv checked project=sub"),
        ("uv run pytest -q", "Uv loose project=.; Test(pytest)"),
        ("uv run --frozen -p 3.12 -- pytest", "Uv frozen project=.; Test(pytest)"),
        ("uv run --no-project pytest", "Test(pytest)"),
        ("uv run --no-sync mypy .", "Types(mypy)"),
        ("uv run --script tool.py", "UvPip -r=tool.py; call tool.py"),
        ("uv run -m pytest", "Uv loose project=.; Test(pytest)"),
        ("uv run scripts/x.py", "Uv loose project=.; UvPip -r=scripts/x.py; call scripts/x.py"),
        ("uv run x.py", "Uv loose project=.; UvPip -r=x.py; call x.py"),
        ("uv run --with 'a>=1,b==2' --no-project pytest", "UvPip a[>=1]:word b[==2]:exact; Test(pytest)"),
        ("uv run --isolated --locked coverage run -m pytest", "Uv checked project=.; Test(pytest)"),
        ("uv lock --check", "verify Uv"),
        ("uv lock --upgrade", "upgrade uv.lock; relock Uv"),
        ("uv lock; uv lock --script x.py", "relock Uv"),
        ("uv lock && uv sync --frozen", "relock Uv; Uv frozen project=."),
        ("uv lock && git diff --exit-code uv.lock", "verify Uv"),
        ("uv add requests", "Uv loose requests[]:- project=."),
        ("uv pip install --system -r r.txt foo", "UvPip foo[]:- -r=r.txt"),
        ("uv pip install -e .[test] --no-deps", "UvPip project=.[test] +test no-deps"),
        ("uv pip install -p 3.12 -t x 'foo>=1'", "UvPip foo[>=1]:word"),
        ("uv pip sync requirements.txt", "UvPip frozen -r=requirements.txt"),
        ("uv pip compile -U r.in -o r.txt", "upgrade r.txt; relock PipSync r.txt"),
        ("uv pip compile r.in > r.txt", "relock PipSync r.txt"),
        ("uvx ruff check", "tool ruff[]:-; Lint(ruff)"),
        ("uvx ruff@0.5.0 check .", "tool ruff[@0.5.0]:exact; Lint(ruff)"),
        ("uvx ruff@latest check", "tool ruff[@latest]:word; Lint(ruff)"),
        ("uvx ruff==0.5.0 check", "tool ruff[==0.5.0]:exact; Lint(ruff)"),
        ("uvx --from 'ruff>0.2' ruff check", "tool ruff[>0.2]:word; Lint(ruff)"),
        ("uvx --with tox-uv tox -e py", "tool tox[]:-; tool tox-uv[]:-; Test(tox); tox:py"),
        (
            "uv tool run --python 3.12 --from build==1.2.1 pyproject-build",
            "tool build[==1.2.1]:exact; Build(pyproject-build)",
        ),
        ("uv tool install 'tox>=4' --with tox-uv==1.0", "tool tox[>=4]:word; tool tox-uv[==1.0]:exact"),
        ("uv tool install .", "UvPip project=."),
        ("uv python install 3.12", ""),
    ]);
    assert_eq!(read("uv python install 3.12").facts.references[0].subject.name, "python");
}

#[test]
fn other_python_tools() {
    check(&[
        ("poetry install --with dev,test -E x", "Poetry checked project=. +dev +test +x"),
        ("poetry install --only-root", ""),
        ("poetry -C sub install", "Poetry checked project=sub"),
        ("poetry sync", "Poetry checked project=."),
        ("poetry update", "upgrade poetry.lock; relock Poetry"),
        ("poetry lock --regenerate", "upgrade poetry.lock; relock Poetry"),
        ("poetry lock --no-update", "relock Poetry"),
        ("poetry lock && poetry install", "relock Poetry; Poetry checked project=."),
        ("poetry check --lock; poetry lock --check", "verify Poetry; verify Poetry"),
        ("poetry run pytest -x", "Test(pytest)"),
        ("poetry run python -m mypy .", "Types(mypy)"),
        ("poetry self add poetry-plugin-export", "tool poetry-plugin-export[]:-"),
        ("poetry build", "Build(poetry build)"),
        ("pdm install", "Pdm loose project=."),
        ("pdm install --check -G test", "Pdm checked project=. +test"),
        ("pdm install --frozen-lockfile", "Pdm frozen project=."),
        ("pdm sync -d", "Pdm frozen project=. +--dev"),
        (
            "pdm update; pdm lock; pdm lock --check",
            "upgrade pdm.lock; relock Pdm; upgrade pdm.lock; relock Pdm; verify Pdm",
        ),
        ("pdm run pytest", "pdm:pytest; Test(pytest)"),
        ("pdm lint", "pdm:lint"),
        ("pipenv install --dev", "Pipenv loose project=. +--dev"),
        ("pipenv install --deploy --system", "Pipenv checked project=."),
        ("pipenv sync", "Pipenv frozen project=."),
        ("pipenv install requests==2", "Pipenv loose requests[==2]:exact project=."),
        ("pipenv verify; pipenv lock", "verify Pipenv; upgrade Pipfile.lock; relock Pipenv"),
        ("pipenv run pytest", "pipenv:pytest; Test(pytest)"),
        ("hatch run test:cov", "Hatch project=. +test; hatch:test:cov"),
        ("hatch run +py=3.12 test:pytest -q", "Hatch project=. +test; hatch:test:pytest; Test(pytest)"),
        ("hatch run pytest", "Hatch project=. +default; hatch:default:pytest; Test(pytest)"),
        ("hatch -e lint run mypy x", "Hatch project=. +lint; hatch:lint:mypy; Types(mypy)"),
        ("hatch test", "Test(hatch test); Hatch project=. +hatch-test"),
        ("hatch build -t wheel", "Build(hatch build)"),
        ("pipx install black==24.1.0", "tool black[==24.1.0]:exact"),
        ("pipx install --python 3.12 black", "tool black[]:-"),
        ("pipx run --spec 'black>=24' black --check .", "tool black[>=24]:word; Lint(black)"),
        ("pipx run build", "tool build[]:-"),
        ("pipx inject tox tox-uv", "tool tox-uv[]:-"),
        ("conda install -y -c conda-forge python=3.9 'numpy>=1.2'", "Conda python[=3.9]:minor numpy[>=1.2]:word"),
        ("mamba create -n x python=3.11.2 pip", "Conda python[=3.11.2]:exact pip[]:-"),
        ("conda env create -n x -f env/test.yml", "Conda -r=env/test.yml"),
        ("conda env create", "Conda -r=environment.yml"),
        ("micromamba install --file r.txt conda-forge::zlib", "Conda url zlib[]:- -r=r.txt"),
        ("conda run -n x --no-capture-output pytest", "Test(pytest)"),
        ("micromamba run -n x python -m pip install foo", "Pip foo[]:-"),
        ("conda update -n base conda", "upgrade conda"),
        ("conda activate x; conda info; conda config --add channels x", ""),
        ("conda-lock install -n x conda-lock.yml", "CondaLock frozen -r=conda-lock.yml"),
        ("pixi run --locked -e test pytest", "Pixi checked project=. +test; pixi:pytest; Test(pytest)"),
        ("pixi install --frozen", "Pixi frozen project=."),
        ("pixi update; pixi lock", "upgrade pixi.lock; relock Pixi; relock Pixi"),
    ]);
}

#[test]
fn other_ecosystems() {
    check(&[
        (
            "sudo apt-get update && sudo apt-get install -y --no-install-recommends gcc zlib1g-dev=1:1.2-3",
            "System gcc[]:- zlib1g-dev[=1:1.2-3]:exact",
        ),
        ("apt-get -o Acquire::Retries=3 install -t stable x", "System x[]:-"),
        ("apt-get upgrade -y", "upgrade system packages"),
        ("apk add --no-cache --virtual .build gcc=12.2-r1 'musl~1.2'", "System gcc[=12.2-r1]:exact musl[~]:minor"),
        ("dnf install -y python3 && dnf upgrade -y", "System python3[]:-; upgrade system packages"),
        ("brew install python@3.12", "System python@3.12[]:-"),
        ("apt install ./x.deb", "System project=./x.deb"),
        ("apt-get install -y $PACKAGES", "System opaque=$PACKAGES"),
        ("npm ci", "Npm checked project=."),
        ("npm install", "Npm loose project=."),
        ("npm install -g yarn@1.22.19 pnpm", "tool yarn[@1.22.19]:exact; tool pnpm[]:-"),
        ("npm i -g azure-functions-core-tools@4 --unsafe-perm true", "tool azure-functions-core-tools[@4]:major"),
        ("npm i --save-dev eslint@^8", "Npm loose eslint[@^8]:major"),
        ("npm update", "upgrade node packages"),
        ("npm test; npm run lint", "Test(npm test); npm:test; Lint(npm lint); npm:lint"),
        ("npx -y @scope/tool@latest x", "tool @scope/tool[@latest]:word"),
        ("npx --no-install eslint .", "Lint(eslint)"),
        ("npx -p typescript@5.1.0 tsc", "tool typescript[@5.1.0]:exact; Types(tsc)"),
        ("yarn install --frozen-lockfile", "Npm checked project=."),
        ("yarn --immutable; yarn build", "Npm checked project=.; npm:build"),
        ("pnpm dlx cspell", "tool cspell[]:-"),
        ("cargo install ripgrep --version 14.1.0 --locked", "tool ripgrep[14.1.0]:exact"),
        ("cargo install ripgrep", "tool ripgrep[]:-"),
        ("cargo +nightly install a@1.2.3 b", "tool a[@1.2.3]:exact; tool b[]:-"),
        ("cargo install --git https://github.com/a/b --tag v1.2.3 x", "tool vcs a/b[v1.2.3]:exact"),
        ("cargo install --path .", ""),
        ("go install -ldflags '-s -w' x.org/m/cmd@v1.2.3", "tool x.org/m/cmd[@v1.2.3]:exact"),
        ("go install x.org/m@latest ./cmd", "tool x.org/m[@latest]:word"),
        ("go install x.org/m", ""),
        ("go get x.org/m/... x.org/n", "tool x.org/m[~]:-; tool x.org/n[]:-"),
        ("go get -t ./... $MODULE cmd/x all", ""),
        ("go test ./... && cargo test", "Test(go test); Test(cargo test)"),
    ]);
}

#[test]
fn images() {
    check(&[
        ("docker run --rm -it -v $PWD:/x -e A=b python:3.12 pytest", "image python[:3.12]:minor; Test(pytest)"),
        ("docker run --platform linux/amd64 --name=x postgres:latest", "image postgres[:latest]:word"),
        ("docker pull -q redis", "image redis[]:-"),
        ("docker --context x container run -d registry:5000/a", "image registry:5000/a[]:-"),
        ("docker tag a:latest b:latest && docker push b:latest", ""),
        (
            "docker build -t app:latest --build-arg A=b -f ci/Dockerfile --pull .",
            "build ci/Dockerfile . app:latest pull; Build(docker build)",
        ),
        (
            "docker buildx build --push --cache-from type=gha --platform x --tag a ctx",
            "build - ctx a cached; Build(docker build)",
        ),
        ("docker buildx create --use; docker login -u x; docker ps", ""),
        ("docker exec -it web pytest", "Test(pytest)"),
        ("docker run localhost:5000/x && docker pull localhost/y", ""),
        ("docker compose -f a.yml run --rm web pytest", "Test(pytest)"),
        ("docker-compose up -d --wait-timeout 60", "compose:"),
        ("docker compose -f a.yml -f b.yml build", "compose:a.yml,b.yml"),
        ("docker compose up -d db", ""),
        ("podman build . ", "build - . ; Build(docker build)"),
        ("skopeo inspect --raw docker://alpine:latest", ""),
        ("skopeo copy docker://alpine:3.19.1 docker://x/y:latest", "image alpine[:3.19.1]:exact"),
        ("apptainer exec --nv docker://python:3 pytest", "image python[:3]:major; Test(pytest)"),
        ("docker run \"$IMAGE\" x", "image $IMAGE[]:?"),
        ("docker run ${env.IMAGE_TAG} bash", "image ${env.IMAGE_TAG}[]:?"),
    ]);
}

#[test]
fn downloads_and_clones() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    check(&[
        ("curl -sSL https://x.sh/i | sh", "download https://x.sh/i run by `sh`"),
        ("curl -LsSf https://x.sh/i | sudo -E bash -s -- -y", "download https://x.sh/i run by `sudo -E bash -s -- -y`"),
        ("wget -qO- https://x.sh/i | tee l | python3 -", "download https://x.sh/i run by `python3 -`"),
        ("curl https://x/y.json | python -m json.tool", "download https://x/y.json kept"),
        ("curl -sL https://x/k.gpg | sudo gpg --dearmor -o /k", "download https://x/k.gpg kept"),
        ("curl -sL https://x/a.tgz | tar xz", "download https://x/a.tgz kept"),
        ("bash <(curl -s https://x/up)", "download https://x/up run by `bash <(curl -s https://x/up)`"),
        ("sh -c \"$(curl -fsSL https://x/i)\"", "download https://x/i run by `sh -c \"$(curl -fsSL https://x/i)\"`"),
        ("V=$(curl -s https://x/v)", "download https://x/v kept"),
        ("curl -o i.sh https://x/i && sh i.sh", "download https://x/i run by `sh i.sh`; call i.sh"),
        ("wget -qO- https://x/i > i.sh; bash i.sh", "download https://x/i run by `bash i.sh`; call i.sh"),
        ("curl -L https://x/t | sudo tee /bin/t >/dev/null; t x", "download https://x/t run by `t x`"),
        ("wget https://x/t-amd64\nsudo mv t-amd64 /bin/t\nt x", "download https://x/t-amd64 run by `t x`"),
        ("wget https://x/t\nsudo install -m 755 t /usr/bin\nt x", "download https://x/t run by `t x`"),
        (
            "curl -LO https://x/t.deb; sudo apt-get install -y ./t.deb",
            "download https://x/t.deb run by `sudo apt-get install -y ./t.deb`; System project=./t.deb",
        ),
        ("curl -LO https://x/t.deb; cp t.deb /out/", "download https://x/t.deb kept"),
        (
            "curl -Lo i.sh https://x/i\necho \"$S i.sh\" | sha256sum -c\nbash ./i.sh",
            "download https://x/i run by `bash ./i.sh` verified; call ./i.sh",
        ),
        (
            "wget https://x/get.py\nchmod +x get.py\n./get.py",
            "download https://x/get.py run by `./get.py`; call ./get.py",
        ),
        ("curl -O https://x/i.sh", "download https://x/i.sh kept"),
        ("curl -X POST https://x/hook; curl -d a https://x", ""),
        ("git clone https://github.com/a/b", "clone vcs a/b[~]:-"),
        ("git clone --depth 1 -b v1.2.3 https://github.com/a/b.git dir", "clone vcs a/b[v1.2.3]:exact"),
        ("git clone --branch main git@github.com:a/b", "clone vcs a/b[main]:word"),
        (
            &format!("git clone https://github.com/a/b && cd b && git checkout {commit}"),
            &format!("clone vcs a/b[{commit}]:immutable"),
        ),
        ("git clone https://github.com/a/b x; git -C x checkout -q v1.0.0", "clone vcs a/b[v1.0.0]:exact"),
        ("git clone ../x; git status", ""),
    ]);
    let found = read("curl -L https://github.com/a/b/releases/download/v1.2.3/x.sh | sh");
    assert_eq!(
        (found.facts.references[0].subject.name.as_str(), found.facts.references[0].strength),
        ("a/b", Some(Strength::Exact))
    );
}

#[test]
fn checks_and_entries() {
    check(&[
        ("pytest -q", "Test(pytest)"),
        ("python -m pytest -q", "Test(pytest)"),
        ("pip install -q pytest", "Pip pytest[]:-"),
        ("pytest --version; tox --help; ruff --version", ""),
        ("python -m unittest discover", "Test(unittest)"),
        ("python -m build --wheel", "Build(build)"),
        ("tox -e py311,lint -- -x", "Test(tox); tox:py311,lint"),
        ("tox", "Test(tox); tox:"),
        ("tox run -f py311 -e a -e b", "Test(tox); tox:a,b"),
        ("python -m tox -p auto -e docs", "Test(tox); tox:docs"),
        ("tox -l", ""),
        ("nox -s tests lint -- -x", "Test(nox); nox:tests,lint"),
        ("nox --session=docs", "Test(nox); nox:docs"),
        ("make test", "Test(make test); make:test"),
        ("make -C docs html", "make:html"),
        ("make ci-teardown test-deps build-tests || true", "make:ci-teardown,test-deps,build-tests"),
        ("coverage run --source x runtests.py a", "call runtests.py; Test(runtests.py)"),
        ("coverage run .tox/bin/pytest -v", "Test(pytest)"),
        ("retry_cmd 3 nose2 -s tests", "Test(nose2)"),
        ("make -j4 lint V=1", "Lint(make lint); make:lint"),
        ("just ci", "Test(just ci); just:ci"),
        ("invoke lint", "Lint(invoke lint); invoke:lint"),
        ("ruff check . && ruff format --check .", "Lint(ruff); Lint(ruff)"),
        ("ruff format .; black .; isort .", ""),
        ("black --check . && isort --check-only .", "Lint(black); Lint(isort)"),
        ("flake8; pylint x; bandit -r x", "Lint(flake8); Lint(pylint); Lint(bandit)"),
        ("mypy src; pyright", "Types(mypy); Types(pyright)"),
        ("pre-commit run --all-files", "Lint(pre-commit); pre-commit:"),
        ("pre-commit run -a ruff", "Lint(pre-commit); pre-commit:ruff"),
        ("pre-commit autoupdate", "upgrade pre-commit hooks"),
        ("pre-commit install", ""),
        ("coverage run -m pytest && coverage report", "Test(pytest); Test(coverage)"),
        ("xvfb-run -a pytest", "Test(pytest)"),
        ("sphinx-build -W docs out", "Build(sphinx-build)"),
        ("python setup.py test", "Test(setup.py test); call setup.py"),
        ("python manage.py test", "Test(manage.py test); call manage.py"),
        ("./ci/test.sh -x", "call ./ci/test.sh"),
        ("bash -ex ci/test.sh", "call ci/test.sh"),
        ("source venv/bin/activate; . ./env.sh", "call venv/bin/activate; call ./env.sh"),
        ("python tools/x.py", "call tools/x.py"),
        ("python -c 'import x'; python -m x", ""),
        (".venv/bin/pytest", "Test(pytest)"),
        ("echo pytest; which tox; command -v ruff", ""),
        ("cargo clippy && ctest", "Lint(cargo clippy); Test(ctest)"),
    ]);
}

#[test]
fn references_have_stable_keys_and_roles() {
    let found = read("cd x\npip install a b==1");
    let keys: Vec<&str> = found.facts.references.iter().map(|reference| reference.key.as_str()).collect();
    assert_eq!(keys, ["run[1].a", "run[1].b"]);
    assert_eq!(found.facts.references[0].role.name(), "install");
}

#[test]
fn every_prefix_of_a_hostile_line_is_read() {
    let line = "sudo -E env A=b uv run --with 'a,b[c,d]>=1' -- coverage run -m pip install -e \"$X/${{ y }}[a]\" git+https://u:p@x/y@z#egg=é";
    for end in (0..=line.len()).filter(|&end| line.is_char_boundary(end)) {
        read(&line[..end]);
    }
}
