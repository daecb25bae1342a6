/** Where an image comes from, as SLSA provenance. */

/**
 * The provenance of a run of GitHub Actions, from its environment; undefined elsewhere.
 *
 * @see https://slsa.dev/spec/v1.0/provenance, https://actions.github.io/buildtypes/workflow/v1
 */
export function provenanceOf(env: Readonly<Record<string, string | undefined>>): object | undefined {
    if (env["GITHUB_ACTIONS"] !== "true") return undefined;
    const server = env["GITHUB_SERVER_URL"] ?? "";
    const repository = `${server}/${env["GITHUB_REPOSITORY"] ?? ""}`;
    const ref = env["GITHUB_REF"] ?? "";
    const workflow = env["GITHUB_WORKFLOW_REF"] ?? "";
    const path = workflow.replace(`${env["GITHUB_REPOSITORY"] ?? ""}/`, "").replace(/@.*$/, "");
    return {
        buildDefinition: {
            buildType: "https://actions.github.io/buildtypes/workflow/v1",
            externalParameters: { workflow: { ref, repository, path } },
            internalParameters: {
                github: {
                    event_name: env["GITHUB_EVENT_NAME"] ?? "",
                    runner_environment: env["RUNNER_ENVIRONMENT"] ?? "",
                },
            },
            resolvedDependencies: [{ uri: `git+${repository}@${ref}`, digest: { gitCommit: env["GITHUB_SHA"] ?? "" } }],
        },
        runDetails: {
            builder: { id: `${server}/${workflow}` },
            metadata: {
                invocationId: `${repository}/actions/runs/${env["GITHUB_RUN_ID"] ?? ""}/attempts/${env["GITHUB_RUN_ATTEMPT"] ?? ""}`,
            },
        },
    };
}
