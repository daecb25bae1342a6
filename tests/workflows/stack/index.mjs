import * as pulumi from "@pulumi/pulumi";

const { path, content } = new pulumi.Config("files").requireObject("greeting");
new pulumi.CustomResource("files:index:File", "greeting", { path, content });
