using System;
using System.Text;

namespace ArrSession
{
    /// <summary>The buffer that native code writes a token into. Wiped after use, because a token is a secret.</summary>
    internal sealed class TokenBuffer
    {
        // Enough for the public service's tokens.
        internal byte[] Bytes = new byte[4096];

        internal UIntPtr Capacity
        {
            get { return (UIntPtr)(uint)Bytes.Length; }
        }

        internal void Grow(UIntPtr needed)
        {
            Bytes = new byte[(int)(uint)needed];
        }

        /// <summary>The text up to its NUL.</summary>
        internal string Text()
        {
            int length = Array.IndexOf(Bytes, (byte)0);
            return Encoding.UTF8.GetString(Bytes, 0, length < 0 ? Bytes.Length : length);
        }

        internal void Wipe()
        {
            Array.Clear(Bytes, 0, Bytes.Length);
        }
    }
}
