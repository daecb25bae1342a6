/**
 * Custom resources, each with the fields that its controller knows: another one does not compile.
 *
 * Types only, from packages that are generated from the controllers' own API types. Nothing of them is there at run time.
 *
 * @see https://github.com/tommy351/kubernetes-models-ts
 */
import type { ICertificate } from "@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate";
import type { IClusterIssuer } from "@kubernetes-models/cert-manager/cert-manager.io/v1/ClusterIssuer";
import type { IIssuer } from "@kubernetes-models/cert-manager/cert-manager.io/v1/Issuer";
import type { IBackendTrafficPolicy } from "@kubernetes-models/envoy-gateway/gateway.envoyproxy.io/v1alpha1/BackendTrafficPolicy";
import type { IExternalSecret } from "@kubernetes-models/external-secrets/external-secrets.io/v1/ExternalSecret";
import type { IBackendTLSPolicy } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/BackendTLSPolicy";
import type { IGateway } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/Gateway";
import type { IHTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
import type { IMiddleware } from "@kubernetes-models/traefik/traefik.io/v1alpha1/Middleware";
import type { IServersTransport } from "@kubernetes-models/traefik/traefik.io/v1alpha1/ServersTransport";
import type { Input } from "@pulumi/pulumi";
import type { LoadBalancerConfigurationSpec, TargetGroupConfigurationSpec } from "./aws-gateway.types";
import type { ClusterImagePolicySpec } from "./cluster-image-policy.types";
import type { AlertmanagerConfigSpec } from "./alertmanager-config.types";
import type { PodMonitorSpec } from "./pod-monitor.types";
import type { ProbeSpec } from "./probe.types";
import type { PrometheusRuleSpec } from "./prometheus-rule.types";

/** T, with values that may be known only once other resources are there. Lists and objects are written out. */
export type Inputs<T> = [T] extends [string | number | boolean | undefined]
    ? Input<T>
    : T extends readonly (infer Item)[]
      ? readonly Inputs<Item>[]
      : T extends object
        ? { readonly [Key in keyof T]: Inputs<T[Key]> }
        : T;

interface Api {
    readonly apiVersion: string;
    readonly kind: string;
    readonly spec?: object;
}

/**
 * Write optional fields as `field: condition ? value : undefined`, not as a conditional spread: TypeScript does not
 * check the keys of a spread object.
 */
interface Custom<T extends Api> {
    readonly apiVersion: T["apiVersion"];
    readonly kind: T["kind"];
    readonly metadata: {
        readonly name: string;
        readonly namespace?: Input<string>;
        readonly annotations?: Readonly<Record<string, string>>;
        readonly labels?: Readonly<Record<string, string>>;
    };
    readonly spec: Inputs<NonNullable<T["spec"]>>;
}

interface AwsGateway<Kind extends string, Spec extends object> {
    readonly apiVersion: "gateway.k8s.aws/v1beta1";
    readonly kind: Kind;
    readonly spec: Spec;
}

export type Certificate = Custom<ICertificate>;
export type Issuer = Custom<IIssuer>;
export type ClusterIssuer = Custom<IClusterIssuer>;
export type ExternalSecret = Custom<IExternalSecret>;
export type Gateway = Custom<IGateway>;
export type HTTPRoute = Custom<IHTTPRoute>;
export type BackendTLSPolicy = Custom<IBackendTLSPolicy>;
export type BackendTrafficPolicy = Custom<IBackendTrafficPolicy>;
export type Middleware = Custom<IMiddleware>;
export type ServersTransport = Custom<IServersTransport>;
export type LoadBalancerConfiguration = Custom<AwsGateway<"LoadBalancerConfiguration", LoadBalancerConfigurationSpec>>;
export type TargetGroupConfiguration = Custom<AwsGateway<"TargetGroupConfiguration", TargetGroupConfigurationSpec>>;

export type PodMonitor = Custom<{
    readonly apiVersion: "monitoring.coreos.com/v1";
    readonly kind: "PodMonitor";
    readonly spec: PodMonitorSpec;
}>;
export type ClusterImagePolicy = Custom<{
    readonly apiVersion: "policy.sigstore.dev/v1beta1";
    readonly kind: "ClusterImagePolicy";
    readonly spec: ClusterImagePolicySpec;
}>;
export type PrometheusRule = Custom<{
    readonly apiVersion: "monitoring.coreos.com/v1";
    readonly kind: "PrometheusRule";
    readonly spec: PrometheusRuleSpec;
}>;
export type Probe = Custom<{
    readonly apiVersion: "monitoring.coreos.com/v1";
    readonly kind: "Probe";
    readonly spec: ProbeSpec;
}>;
export type AlertmanagerConfig = Custom<{
    readonly apiVersion: "monitoring.coreos.com/v1alpha1";
    readonly kind: "AlertmanagerConfig";
    readonly spec: AlertmanagerConfigSpec;
}>;

/** Every kind that this program declares. */
export type CustomObject =
    | Certificate
    | Issuer
    | ClusterIssuer
    | ExternalSecret
    | Gateway
    | HTTPRoute
    | BackendTLSPolicy
    | BackendTrafficPolicy
    | Middleware
    | ServersTransport
    | LoadBalancerConfiguration
    | TargetGroupConfiguration
    | AlertmanagerConfig
    | PodMonitor
    | ClusterImagePolicy
    | Probe
    | PrometheusRule;
