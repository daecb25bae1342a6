/** What policy documents mean: whom they let in, and how much they give. */
import { describe, expect, test } from "vitest";

import { letsIn } from "../../policies/iam-callers.ts";
import { readDocument } from "../../policies/iam-document.ts";
import { tooWide } from "../../policies/iam-grants.ts";
import { coversBucket, matches, wildActions } from "../../policies/iam-patterns.ts";
import { UNKNOWN, unknownText } from "../../policies/values.ts";

const open = { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" };
const account = "111122223333";
const lets = (Condition: unknown, more: object = {}): string | undefined => letsIn({ ...open, ...more, Condition }, []);

describe("a condition that excludes nobody", () => {
    test.each<[string, unknown]>([
        ["none", undefined],
        ["the whole internet", { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } }],
        ["half of it", { IpAddress: { "aws:SourceIp": ["128.0.0.0/1", "10.0.0.0/8"] } }],
        ["all of IPv6", { IpAddress: { "aws:SourceIp": ["203.0.113.0/24", "::/0"] } }],
        ["a role of any account", { StringLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/x" } }],
        [
            "the same of ArnEquals, which knows wildcards",
            { ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::*:role/x" } },
        ],
        ["any principal", { ArnLike: { "aws:PrincipalArn": "*" } }],
        [
            "one named and one open value",
            { ArnLike: { "aws:PrincipalArn": [`arn:aws:iam::${account}:role/x`, "arn:*"] } },
        ],
        ["a bucket of anybody's", { ArnLike: { "aws:SourceArn": "arn:aws:s3:::*" } }],
        ["any organization", { StringLike: { "aws:PrincipalOrgID": "o-*" } }],
        ["everybody but one", { StringNotEquals: { "aws:PrincipalAccount": account } }],
        ["a key that may be missing", { StringEqualsIfExists: { "aws:SourceVpce": "vpce-1a2b3c4d" } }],
        ["all of no values", { "ForAllValues:StringLike": { "aws:PrincipalOrgPaths": "o-abcdefghij/*" } }],
        ["a key that anybody can have", { StringEquals: { "aws:PrincipalTag/team": "shop" } }],
        ["what each caller says of himself", { StringEquals: { "aws:PrincipalAccount": "${aws:PrincipalAccount}" } }],
        ["TLS", { Bool: { "aws:SecureTransport": "true" } }],
        ["any endpoint", { StringLike: { "aws:SourceVpce": "vpce-*" } }],
        ["any role's sessions", { StringLike: { "aws:userid": "*:session" } }],
        ["only that there is an organization", { Null: { "aws:PrincipalOrgID": "false" } }],
        ["no condition's values", { StringEquals: { "aws:SourceAccount": [] } }],
        ["an empty account", { StringLike: { "aws:PrincipalAccount": "" } }],
        ["a text that is no ARN", { ArnLike: { "aws:SourceArn": `sqs:aws:sqs:eu-west-1:${account}:q` } }],
        ["any service's ARN", { ArnLike: { "aws:SourceArn": `arn:aws:*:eu-west-1:${account}:q` } }],
        [
            "an ARN of a partition that is none",
            { ArnLike: { "aws:SourceArn": `arn:x-aws:sqs:eu-west-1:${account}:q` } },
        ],
        ["an account of too many digits", { ArnLike: { "aws:SourceArn": `arn:aws:sqs:eu-west-1:${account}9:q` } }],
        ["an account in the middle of digits", { ArnLike: { "aws:SourceArn": `arn:aws:sqs:eu-west-1:9${account}:q` } }],
        ["an ARN without account that is no bucket", { ArnLike: { "aws:SourceArn": "arn:aws:apigateway:::x" } }],
        ["an ARN of no bucket", { ArnLike: { "aws:SourceArn": "arn:aws:s3" } }],
        ["buckets with a name like this", { ArnLike: { "aws:SourceArn": "arn:aws:s3:::shop-*/x" } }],
        ["a quarter of the internet", { IpAddress: { "aws:SourceIp": "64.0.0.0/2" } }],
        ["more than Amazon's part of IPv6", { IpAddress: { "aws:SourceIp": "2600::/31" } }],
        ["addresses like none in particular", { StringLike: { "aws:SourceIp": "*.113.7" } }],
        ["a path below no organization", { StringLike: { "aws:PrincipalOrgPaths": "x/o-abcdefghij/r-ab12/*" } }],
        ["any organization's path", { StringLike: { "aws:PrincipalOrgPaths": "o-*" } }],
        ["any endpoint's path", { StringLike: { "aws:VpceOrgPaths": "o-*/r-ab12/*" } }],
        ["an id that only ends like a role's", { StringLike: { "aws:userid": "*AROAEXAMPLEID:x" } }],
        ["an id that only begins like a role's", { StringLike: { "aws:userid": "AROAEXAMPLEID*" } }],
        ["a short id", { StringLike: { "aws:userid": "A*:x" } }],
        ["callers that are no service of AWS's", { Bool: { "aws:PrincipalIsAWSService": "false" } }],
        ["a flag that may be missing", { BoolIfExists: { "aws:PrincipalIsAWSService": "true" } }],
        ["another flag", { Bool: { "aws:ViaAWSService": "true" } }],
        [
            "a demand for another key",
            { StringEqualsIfExists: { "aws:SourceVpce": "vpce-1" }, Null: { "aws:SourceVpc": "false" } },
        ],
        [
            "a demand that the key is missing",
            { StringEqualsIfExists: { "aws:SourceVpce": "vpce-1" }, Null: { "aws:SourceVpce": "true" } },
        ],
        [
            "something unknown about a key that anybody can have",
            { StringEquals: { "aws:PrincipalTag/team": unknownText } },
        ],
    ])("%s", (_, condition) => {
        expect(lets(condition)).toBe("everybody");
    });
});

describe("a condition that excludes other accounts", () => {
    test.each<[string, unknown]>([
        ["an account", { StringEquals: { "aws:PrincipalAccount": account } }],
        ["the key in other letters", { stringequals: { "AWS:SourceOwner": account } }],
        ["the resource's own account", { StringEquals: { "aws:PrincipalAccount": "${aws:ResourceAccount}" } }],
        ["roles of an account", { ArnLike: { "aws:PrincipalArn": `arn:aws:iam::${account}:role/*` } }],
        ["a role in any partition", { StringLike: { "aws:PrincipalArn": `arn:aws*:iam::${account}:role/x` } }],
        ["a bucket", { ArnLike: { "aws:SourceArn": "arn:aws:s3:::shop-data" } }],
        ["an organization", { StringEquals: { "aws:PrincipalOrgID": "o-abcdefghij" } }],
        ["a part of it", { "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": "o-abcdefghij/r-ab12/*" } }],
        ["a VPC", { StringEquals: { "aws:SourceVpc": "vpc-1a2b3c4d" } }],
        ["an endpoint", { StringEquals: { "aws:SourceVpce": ["vpce-1a2b3c4d", "vpce-2a2b3c4d"] } }],
        ["sessions of a role", { StringLike: { "aws:userid": "AROAEXAMPLEID:*" } }],
        ["a range", { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } }],
        [
            "the key must be there",
            {
                StringEqualsIfExists: { "aws:SourceVpce": "vpce-1a2b3c4d" },
                Null: { "aws:SourceVpce": "false" },
            },
        ],
        [
            "an open and a narrow one, both of which must hold",
            {
                IpAddress: { "aws:SourceIp": "0.0.0.0/0" },
                StringEquals: { "aws:SourceAccount": account },
            },
        ],
        ["a value that is yet unknown", { StringEquals: { "aws:SourceAccount": unknownText } }],
        ["keys that are yet unknown", { StringEquals: unknownText }],
        ["all of it yet unknown", unknownText],
        ["a star that is no wildcard", { StringEquals: { "aws:PrincipalOrgID": "*" } }],
        ["a queue of an account", { ArnLike: { "aws:SourceArn": `arn:aws:sqs:*:${account}:*` } }],
        ["one of China", { ArnLike: { "aws:SourceArn": `arn:aws-cn:sqs:*:${account}:*` } }],
        ["objects of a bucket", { ArnLike: { "aws:SourceArn": "arn:aws:s3:::shop-data/*" } }],
        ["one address", { IpAddress: { "aws:SourceIp": "203.0.113.7" } }],
        ["a range just narrow enough", { IpAddress: { "aws:SourceIp": ["16.0.0.0/8", "2600::/32"] } }],
        ["addresses that begin alike", { StringLike: { "aws:SourceIp": "203.0.*" } }],
        ["the whole of an organization", { StringLike: { "aws:PrincipalOrgPaths": "o-abcdefghij" } }],
        ["endpoints of an organization", { StringLike: { "aws:VpceOrgPaths": "o-abcdefghij/*" } }],
        ["a user's id", { StringEquals: { "aws:userid": "AIDAEXAMPLEID" } }],
        ["a root user", { StringLike: { "aws:userid": account } }],
        ["services of AWS's own", { Bool: { "aws:PrincipalIsAWSService": "true" } }],
    ])("%s", (_, condition) => {
        expect(lets(condition)).toBeUndefined();
    });
});

test("everybody, in any spelling", () => {
    for (const Principal of [
        "*",
        { AWS: "*" },
        { AWS: ["arn:aws:iam::1:root", "*"] },
        { AWS: "arn:aws:iam::*:root" },
        { AWS: "arn:aws:sts::*:assumed-role/x/y" },
        { Federated: "*" },
    ]) {
        expect(lets(undefined, { Principal })).toBe("everybody");
    }
    for (const Principal of [
        { AWS: `arn:aws:iam::${account}:root` },
        { Service: "eks.amazonaws.com" },
        { AWS: `arn:aws:iam::${account}:role/*` },
        unknownText,
        {},
    ]) {
        expect(lets(undefined, { Principal })).toBeUndefined();
    }
    const but = { Principal: undefined, NotPrincipal: { AWS: `arn:aws:iam::${account}:root` } };
    expect(lets(undefined, but)).toBe("everybody but NotPrincipal");
    expect(lets({ StringEquals: { "aws:PrincipalOrgID": "o-abcdefghij" } }, but)).toBeUndefined();
});

test("a Deny takes back what it covers, from strangers", () => {
    const deny = (Condition: unknown, more: object = {}): object => ({
        ...{ Effect: "Deny", Principal: "*", Action: "sqs:*", Resource: "*", Condition },
        ...more,
    });
    const outside = { StringNotEquals: { "aws:PrincipalOrgID": "o-abcdefghij" } };
    const after = (...denies: object[]): string | undefined => letsIn(open, [open, ...denies]);
    expect(after(deny(outside))).toBeUndefined();
    expect(after(deny({ NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } }))).toBeUndefined();
    expect(after(deny(undefined))).toBeUndefined();
    expect(after(deny({ Bool: { "aws:SecureTransport": "false" } }))).toBe("everybody");
    expect(after(deny({ ...outside, Bool: { "aws:SecureTransport": "false" } }))).toBe("everybody");
    expect(after(deny(outside, { Action: "sqs:DeleteQueue" }))).toBe("everybody");
    expect(after(deny(outside, { Action: ["sqs:DeleteQueue", "SQS:send*"] }))).toBeUndefined();
    const two = { ...open, Action: ["sqs:SendMessage", "sqs:DeleteQueue"] };
    expect(letsIn(two, [two, deny(outside, { Action: "sqs:SendMessage" })])).toBe("everybody");
    expect(letsIn(two, [two, deny(outside, { Action: "sqs:*" })])).toBeUndefined();
    const ofSome = { ...open, Resource: undefined };
    expect(letsIn(ofSome, [ofSome, deny(outside, { Resource: undefined })])).toBeUndefined();
    expect(letsIn(ofSome, [ofSome, deny(outside, { Resource: "arn:aws:sqs:eu-west-1:1:q" })])).toBe("everybody");
    const upper = { ...open, Resource: "arn:aws:sqs:eu-west-1:1:Q" };
    expect(letsIn(upper, [upper, deny(outside, { Resource: "arn:aws:sqs:eu-west-1:1:q" })])).toBe("everybody");
    expect(after(deny(outside, { Action: undefined, NotAction: "sqs:SendMessage" }))).toBe("everybody");
    expect(after(deny(outside, { Resource: undefined, NotResource: "*" }))).toBe("everybody");
    const butOne = { Principal: undefined, NotPrincipal: { AWS: `arn:aws:iam::${account}:root` } };
    expect(after(deny(undefined, butOne))).toBeUndefined();
    expect(after(deny(outside, { Effect: "Allow" }))).toBe("everybody");
    expect(after(deny(unknownText))).toBeUndefined();
    expect(after(deny({ StringNotEquals: { "aws:PrincipalOrgID": unknownText } }))).toBeUndefined();
    expect(after(deny({ Bool: { "aws:PrincipalIsAWSService": "false" } }))).toBeUndefined();
    expect(after(deny({ Bool: { "aws:PrincipalIsAWSService": "true" } }))).toBe("everybody");
    expect(after(deny({ "ForAnyValue:StringNotEquals": { "aws:PrincipalOrgID": "o-abcdefghij" } }))).toBe("everybody");
    expect(after(deny({ StringEquals: { "aws:PrincipalOrgID": "o-abcdefghij" } }))).toBe("everybody");
    expect(after(deny({ StringNotLike: { "aws:PrincipalOrgID": "o-*" } }))).toBe("everybody");
    expect(after(deny(outside, { Resource: "arn:aws:sqs:eu-west-1:1:other" }))).toBe("everybody");
    expect(after(deny(outside, { Principal: { AWS: `arn:aws:iam::${account}:root` } }))).toBe("everybody");
});

describe("tokens of a provider", () => {
    const github = "token.actions.githubusercontent.com";
    const by = (provider: string, Condition: unknown): string | undefined =>
        letsIn(
            { Effect: "Allow", Action: "sts:AssumeRoleWithWebIdentity", Principal: { Federated: provider }, Condition },
            [],
        );
    const oidc = `arn:aws:iam::${account}:oidc-provider/${github}`;
    const sub = (value: string, operator = "StringLike"): unknown => ({ [operator]: { [`${github}:sub`]: value } });
    test("must name a principal", () => {
        for (const value of ["repo:*", "*", "repo:team*", "repo:?*/x:*", "repo:*/orcheo:*", "repo:", "repo:/x"]) {
            expect(by(oidc, sub(value)), value).toContain("everybody whom");
        }
        for (const value of ["repo:team/*", "repo:team/orcheo:ref:refs/heads/main"]) {
            expect(by(oidc, sub(value)), value).toBeUndefined();
            expect(by(oidc, sub(value, "StringLikeIfExists")), value).toBeUndefined();
        }
        expect(by(oidc, { StringEquals: { [`${github}:aud`]: "sts.amazonaws.com" } })).toContain("everybody whom");
        expect(by(oidc, { StringEquals: { [`${github}:ref`]: "refs/heads/main" } })).toContain("everybody whom");
        expect(by(oidc, { StringEquals: { [`${github}:repository_owner`]: "team" } })).toBeUndefined();
        expect(by(oidc, { StringNotEquals: { [`${github}:sub`]: "repo:team/x" } })).toContain("everybody whom");
        expect(
            by(oidc, { StringEquals: { [`${github}:aud`]: "x" }, StringLike: { [`${github}:sub`]: "repo:team/*" } }),
        ).toBeUndefined();
        expect(by(oidc, unknownText)).toBeUndefined();
    });
    test("a cluster's own may have any service account of a namespace", () => {
        const eks = "oidc.eks.eu-central-1.amazonaws.com/id/ABC";
        const of = (value: string): string | undefined =>
            by(`arn:aws:iam::${account}:oidc-provider/${eks}`, { StringLike: { [`${eks}:sub`]: value } });
        expect(of("system:serviceaccount:shop:*")).toBeUndefined();
        expect(of("system:serviceaccount:*:*")).toContain("everybody whom");
    });
    test("a provider that everybody shares must name the application", () => {
        const pool = "cognito-identity.amazonaws.com";
        expect(by(pool, { "ForAnyValue:StringLike": { [`${pool}:amr`]: "*" } })).toContain("everybody whom");
        expect(by(pool, { StringEquals: { [`${pool}:aud`]: "eu-west-1:1a2b" } })).toBeUndefined();
        expect(by(pool, { StringEquals: { "accounts.google.com:aud": "eu-west-1:1a2b" } })).toContain("everybody whom");
        expect(by(`arn:aws:iam::${account}:saml-provider/shop`, undefined)).toBeUndefined();
    });
});

describe("a grant", () => {
    const gives = (Action: unknown, Resource: unknown, more: object = {}): string | undefined =>
        tooWide({ Effect: "Allow", Action, Resource, ...more });
    test.each<[unknown, unknown]>([
        ["*", "arn:aws:*"],
        ["*", "arn:*:*:*:*:*"],
        ["*", "?*"],
        ["*", "arn:aws-cn:*"],
        ["*", "arn:aws-us-gov:**"],
        ["s3:*", "arn:aws-cn:s3:*"],
        ["*", `arn:aws:iam::${account}:*`],
        ["s3:**", "*"],
        ["iam:?*", "*"],
        ["*:*", ["arn:aws:s3:::b", "**"]],
        ["i*", "*"],
        ["S3:*", "arn:aws:s3:::*"],
        ["kms:*", "arn:aws:kms:*:*:*"],
        [Array.from("abcdefghijklmnopqrstuvwxyz").map((letter) => `ec2:${letter}*`), "*"],
    ])("of %j on %j is of everything", (action, resource) => {
        expect(gives(action, resource)).toContain("on every resource");
    });
    test.each<[unknown, unknown]>([
        ["s3:*", "arn:aws:s3:::shop-data/*"],
        ["s3:Get*", "*"],
        ["ec2:Describe*", "*"],
        ["logs:*", `arn:aws:logs:eu-west-1:${account}:log-group:/shop/*`],
        ["dynamodb:*", `arn:aws:dynamodb:eu-west-1:${account}:table/shop`],
        ["iam:PassRole", `arn:aws:iam::${account}:role/shop-*`],
        ["iam:GetRole", "*"],
        ["*", unknownText],
        [unknownText, "*"],
    ])("of %j on %j is not", (action, resource) => {
        expect(gives(action, resource)).toBeUndefined();
    });
    test("everything except some counts as everything, unless that excludes all", () => {
        const statement = { Effect: "Allow", Resource: "*" };
        expect(tooWide({ ...statement, NotAction: "iam:*" })).toContain("all but NotAction");
        expect(tooWide({ ...statement, NotAction: "*" })).toBeUndefined();
        expect(tooWide({ ...statement, NotAction: "iam:*", Resource: "arn:aws:s3:::b/*" })).toBeUndefined();
        expect(tooWide({ Effect: "Allow", Action: "s3:*", NotResource: "arn:aws:s3:::b" })).toContain("s3:*");
        expect(tooWide({ Effect: "Allow", Action: "s3:*", NotResource: "*" })).toBeUndefined();
        expect(tooWide({ ...statement, Effect: "Deny", Action: "*" })).toBeUndefined();
    });
    test("that leads to every right is named", () => {
        expect(gives("iam:PassRole", "*")).toContain("iam:PassRole");
        expect(gives("iam:Pass*", "arn:aws:iam::*:role/*")).toContain("iam:PassRole");
        expect(gives("iam:Put*", "*")).toContain("iam:PutRolePolicy, iam:PutUserPolicy, iam:PutGroupPolicy");
        expect(gives("iam:CreateAccessKey", `arn:aws:iam::${account}:user/*`)).toContain("iam:CreateAccessKey");
        expect(gives("eks:AssociateAccessPolicy", "*")).toContain("eks:AssociateAccessPolicy");
        const to = (service: string): object => ({ Condition: { StringLike: { "iam:PassedToService": service } } });
        expect(gives("iam:PassRole", "*", to("ecs-tasks.amazonaws.com"))).toBeUndefined();
        expect(gives("iam:PassRole", "*", to("*"))).toContain("iam:PassRole");
        expect(gives("iam:PutRolePolicy", "*", to("ecs-tasks.amazonaws.com"))).toContain("iam:PutRolePolicy");
        const passing = (Condition: unknown): string | undefined => gives("iam:PassRole", "*", { Condition });
        expect(passing(unknownText)).toBeUndefined();
        expect(passing({ StringEquals: { "iam:PassedToService": unknownText } })).toBeUndefined();
        for (const condition of [
            { StringEqualsIfExists: { "iam:PassedToService": "ec2.amazonaws.com" } },
            { StringNotEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
            { StringEquals: { "iam:PassedToService": [] } },
            { StringEquals: { "iam:PassedToService": ["ec2.amazonaws.com", "?*"] } },
            { "ForAllValues:StringEquals": { "iam:PassedToService": "ec2.amazonaws.com" } },
            { StringEquals: { "aws:RequestedRegion": "eu-west-1" } },
        ]) {
            expect(passing(condition), JSON.stringify(condition)).toContain("iam:PassRole");
        }
        for (const action of [
            ...["iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRolePermissionsBoundary"],
            ...["iam:AttachUserPolicy", "iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:AddUserToGroup"],
            ...[
                "iam:AttachGroupPolicy",
                "iam:CreatePolicyVersion",
                "iam:SetDefaultPolicyVersion",
                "eks:CreateAccessEntry",
            ],
        ]) {
            expect(gives(action, "*"), action).toContain(action);
            expect(tooWide({ Effect: "Allow", Action: action, NotResource: "arn:aws:s3:::b" }), action).toContain(
                action,
            );
        }
        expect(gives("eks:CreateAccessEntry", `arn:aws:eks:eu-west-1:${account}:cluster/shop`)).toBeUndefined();
    });
});

test("wildcards match like those of AWS", () => {
    expect(matches("a*c?e", "abbbcde")).toBe(true);
    expect(matches("a*c?e", "abbbce")).toBe(false);
    expect(matches("arn:*:s3:::b", "arn:aws:s3:::b")).toBe(true);
    expect(matches("a.c", "abc")).toBe(false);
    expect(matches("S3:get*", "s3:GetObject", true)).toBe(true);
    const start = performance.now();
    expect(matches("*a".repeat(500), `${"a".repeat(499)}b`.repeat(20))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(wildActions(["s3:*?", "ec2:Get*"])).toEqual(["s3:*?"]);
    expect(coversBucket(["arn:aws:s3:::b", "arn:aws:s3:::b/*"], "b")).toBe(true);
    expect(coversBucket(["arn:aws:s3:::b/*"], "b")).toBe(false);
    expect(coversBucket(["arn:aws-cn:s3:::b*"], "b")).toBe(true);
});

test("a document is read as text or object; anything else is not treated as an empty one", () => {
    expect(readDocument(JSON.stringify({ Statement: open }))).toEqual([open]);
    expect(readDocument({ Statement: [open, unknownText] })).toEqual([open]);
    expect(readDocument(unknownText)).toBe(UNKNOWN);
    for (const none of [undefined, null, "", " \n"]) expect(readDocument(none)).toEqual([]);
    expect(readDocument({ Statement: unknownText })).toBe(UNKNOWN);
    expect(readDocument(UNKNOWN)).toBe(UNKNOWN);
    for (const wrong of ["{", "not JSON", "[]", "3", '"text"', "{}", 3, [open], { Statement: "x" }]) {
        expect(readDocument(wrong), JSON.stringify(wrong)).toBe("unreadable");
    }
});
