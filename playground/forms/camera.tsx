import { useEffect, useRef, useState } from "preact/hooks";
import type { Picture } from "../api.ts";

interface CameraProps {
  onPicture: (picture: Picture) => void;
  onClose: () => void;
}

/** What the camera sees, until a picture is taken. The camera is on for no longer. */
export function Camera({ onPicture, onClose }: CameraProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [said, setSaid] = useState("Waiting for the camera…");

  useEffect(() => {
    let stream: MediaStream | undefined;
    let isClosed = false;
    const end = () => stream?.getTracks().forEach((track) => track.stop());
    async function begin(): Promise<void> {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: true });
        if (isClosed) return end();
        if (!video.current) return;
        video.current.srcObject = stream;
        await video.current.play();
        setSaid("");
      } catch (error) {
        if (!isClosed) setSaid(`There is no camera: ${(error as Error).message}`);
      }
    }
    void begin();
    return () => {
      isClosed = true;
      end();
    };
  }, []);

  function take(): void {
    const { current } = video;
    if (!current) return;
    const canvas = document.createElement("canvas");
    canvas.width = current.videoWidth;
    canvas.height = current.videoHeight;
    canvas.getContext("2d")?.drawImage(current, 0, 0);
    canvas.toBlob((blob) => blob && onPicture({ blob, name: "picture.png" }), "image/png");
  }

  return (
    <div>
      <video ref={video} muted playsInline />
      <p role="status">{said}</p>
      <div class="row">
        <button type="button" disabled={said !== ""} onClick={take}>
          Take it
        </button>
        <button type="button" onClick={onClose}>
          Close the camera
        </button>
      </div>
    </div>
  );
}
