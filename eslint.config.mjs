import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

const sections = "Name the sections that it depends on: Pick<Stack, …>, or the section itself.";

export default tseslint.config(
    {
        ignores: [
            "node_modules/",
            "artifacts/",
            "policies/dist/",
            "tests/canvas-app/",
            "tools/render/program/",
            "pulumi-package/index.js",
            "tests/workflows/stack/files/index.js",
            "**/*.mjs",
        ],
    },
    eslint.configs.recommended,
    ...tseslint.configs.strictTypeChecked,
    {
        languageOptions: {
            parserOptions: {
                project: [
                    "./tsconfig.json",
                    "./local/tsconfig.json",
                    "./policies/tsconfig.json",
                    "./tools/tsconfig.json",
                    "./tests/verdicts/tsconfig.json",
                ],
                tsconfigRootDir: import.meta.dirname,
            },
        },
        rules: {
            // Numbers in template strings read well and cannot go wrong.
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
            // Pulumi components are classes which only declare resources in their constructors.
            "@typescript-eslint/no-extraneous-class": "off",
        },
    },
    {
        files: ["components/**/*.ts"],
        ignores: ["components/config/**", "components/stack/**"],
        rules: {
            "no-restricted-syntax": [
                "error",
                {
                    selector:
                        "TSTypeReference[typeName.name='Stack']:not(TSIndexedAccessType > TSTypeReference)" +
                        ":not(TSTypeReference[typeName.name='Pick'] > TSTypeParameterInstantiation > TSTypeReference)",
                    message: sections,
                },
                { selector: "TSInterfaceHeritage[expression.name='Stack']", message: sections },
                { selector: "ImportSpecifier[imported.name='Stack'][local.name!='Stack']", message: sections },
            ],
        },
    },
);
