import { type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** `/runtime.v1.ImageService/PullImage` */
export function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

export function writing<Desc extends DescMessage>(message: Desc): (value: MessageShape<Desc>) => Buffer {
  return (value) => {
    const bytes = toBinary(message, value);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

export function reading<Desc extends DescMessage>(message: Desc): (bytes: Buffer) => MessageShape<Desc> {
  return (bytes) => fromBinary(message, bytes);
}

/** Most bytes of one message, as the kubelet and containerd have it (k8s cri-client `maxMsgSize`). */
export const mostMessageBytes = 16 * 1024 * 1024;
