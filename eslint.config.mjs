import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["node_modules/", "artifacts/", "policies/dist/", "tests/canvas-app/", "**/*.mjs"] },
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
                    selector: "TSTypeAnnotation > TSTypeReference[typeName.name='Stack']",
                    message: "Name the sections that it depends on: Pick<Stack, …>, or the section itself.",
                },
            ],
        },
    },
);
