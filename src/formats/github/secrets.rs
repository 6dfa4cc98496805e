//! How GitHub Actions handles secrets in variables: what outlives a step, which actions export secrets, which have an input instead.

use crate::model::dialect::{Exporter, Grant, Rewrites, SecretWords, Unpaste};

/// <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>, and the manuals of the actions.
pub static WORDS: SecretWords = SecretWords {
    pipeline: "the workflow's `env`",
    job: "the job's `env`",
    steps: true,
    shows_variables: true,
    persists: &["GITHUB_ENV"],
    outputs: &["GITHUB_OUTPUT"],
    setters: &["::set-env", "::set-output"],
    private: &[
        "$RUNNER_TEMP",
        "${RUNNER_TEMP}",
        "${{ runner.temp }}",
        "${{runner.temp}}",
        "/tmp/",
        "/dev/shm/",
        "~/",
        "$HOME/",
        "${HOME}/",
        "/root/",
        "/run/",
    ],
    temp: "\"$RUNNER_TEMP\"",
    workspace: &["$GITHUB_WORKSPACE/", "${GITHUB_WORKSPACE}/", "${{ github.workspace }}/"],
    inherits: "name each secret that the called workflow reads below `secrets:`",
    unpasted: "put it into `env` of the step and write `\"$NAME\"`",
    unpaste: Unpaste::Variable("${{"),
    apart: "`if: github.event_name != 'pull_request'`",
    plain: "as a configuration variable, `${{ vars.NAME }}`, or in the file",
    question: "`HAS_NAME: ${{ secrets.NAME != '' }}`",
    asks: "${{ SECRET != '' }}",
    grants: Some(Grant { word: "permissions", entry: "id-token: write", beside: "contents: read", content: READERS }),
    rewrites: &Rewrites {
        publish: "publish:\n  needs: build\n  environment: pypi\n  permissions: {id-token: write}\n  steps:\n    - uses: \
                  actions/download-artifact@COMMIT\n    - uses: pypa/gh-action-pypi-publish@COMMIT",
        index: "- name: index credentials\n  shell: bash\n  env: {TOKEN: \"${{ secrets.TOKEN }}\"}\n  run: |\n    umask 077\n    printf 'machine HOST \
                login USER password %s\\n' \"$TOKEN\" > \"$RUNNER_TEMP/netrc\"\n    echo \"NETRC=$RUNNER_TEMP/netrc\" >> \
                \"$GITHUB_ENV\"\n- run: pip install --index-url https://HOST/simple PACKAGE",
        cloud: "permissions: {id-token: write, contents: read}\nsteps:\n  - uses: aws-actions/configure-aws-credentials@COMMIT\n    with: \
                {role-to-assume: \"arn:aws:iam::ACCOUNT:role/ROLE\", aws-region: REGION}",
    },
    contexts: &[
        ("tojson(github)", "the token of the job"),
        ("tojson(env)", "the variables of the workflow and the job"),
        ("tojson(needs)", "the outputs of other jobs"),
        ("tojson(steps)", "the outputs of other steps"),
    ],
    exporters: EXPORTERS,
    inputs: INPUTS,
    ..SecretWords::PLAIN
};

/// Actions that only read the repository, and those that PyPI's own are.
const READERS: &[&str] = &[
    "actions/checkout", "actions/setup-", "actions/download-artifact", "actions/upload-artifact", "actions/cache", "pypa/", "astral-sh/setup-uv",
    "pdm-project/setup-pdm", "snok/install-poetry", "abatilo/actions-poetry", "hynek/build-and-inspect-python-package", "step-security/harden-runner",
];

const KEYS: &[&str] = &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

const EXPORTERS: &[Exporter] = &[
    Exporter {
        component: "aws-actions/configure-aws-credentials",
        exports: KEYS,
        only_with: None,
        not_with: Some(("output-env-credentials", "false")),
        short_lived_with: Some("role-to-assume"),
    },
    Exporter {
        component: "hashicorp/vault-action",
        exports: &["*"],
        only_with: None,
        not_with: Some(("exportEnv", "false")),
        short_lived_with: None,
    },
    Exporter {
        component: "1password/load-secrets-action",
        exports: &["*"],
        only_with: Some(("export-env", "true")),
        not_with: None,
        short_lived_with: None,
    },
    Exporter {
        component: "aws-actions/aws-secretsmanager-get-secrets",
        exports: &["*"],
        only_with: None,
        not_with: None,
        short_lived_with: None,
    },
    Exporter {
        component: "google-github-actions/get-secretmanager-secrets",
        exports: &["*"],
        only_with: Some(("export_to_environment", "true")),
        not_with: None,
        short_lived_with: None,
    },
    Exporter {
        component: "azure/get-keyvault-secrets",
        exports: &["*"],
        only_with: None,
        not_with: None,
        short_lived_with: None,
    },
    Exporter {
        component: "dopplerhq/secrets-fetch-action",
        exports: &["*"],
        only_with: Some(("inject-env-vars", "true")),
        not_with: None,
        short_lived_with: None,
    },
    Exporter {
        component: "bitwarden/sm-action",
        exports: &["*"],
        only_with: None,
        not_with: Some(("set_env", "false")),
        short_lived_with: None,
    },
    Exporter {
        component: "infisical/secrets-action",
        exports: &["*"],
        only_with: None,
        not_with: Some(("export-type", "file")),
        short_lived_with: None,
    },
];

/// Actions that read a variable and have an input for the same.
const INPUTS: &[(&str, &str, &str)] = &[
    ("codecov/codecov-action", "CODECOV_TOKEN", "token"),
    ("codecov/test-results-action", "CODECOV_TOKEN", "token"),
    ("softprops/action-gh-release", "GITHUB_TOKEN", "token"),
    ("slackapi/slack-github-action", "SLACK_WEBHOOK_URL", "webhook"),
    ("slackapi/slack-github-action", "SLACK_BOT_TOKEN", "token"),
    ("8398a7/action-slack", "GITHUB_TOKEN", "github_token"),
    ("peaceiris/actions-gh-pages", "GITHUB_TOKEN", "github_token"),
    ("peaceiris/actions-gh-pages", "PERSONAL_TOKEN", "personal_token"),
    ("peaceiris/actions-gh-pages", "ACTIONS_DEPLOY_KEY", "deploy_key"),
    ("coverallsapp/github-action", "COVERALLS_REPO_TOKEN", "github-token"),
];
