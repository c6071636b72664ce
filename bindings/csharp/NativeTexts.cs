using System;
using System.Runtime.InteropServices;
using System.Text;

namespace ArrSession
{
    /// <summary>
    /// Input texts: NUL-terminated UTF-8 outside the managed heap, for the duration of one call. Wiped, because they may be
    /// secrets.
    /// </summary>
    internal sealed unsafe class NativeTexts : IDisposable
    {
        // Half a surrogate pair is the caller's error, not a question mark.
        private static readonly Encoding Strict = new UTF8Encoding(false, true);

        private Block* last;

        private struct Block
        {
            internal Block* Before;
            internal int Length;
        }

        /// <summary>Null becomes NULL.</summary>
        internal byte* Add(string text, string name)
        {
            if (text == null)
            {
                return null;
            }
            if (text.IndexOf('\0') >= 0)
            {
                throw new ArgumentException("must not contain a NUL character, which would end the text", name);
            }
            int length;
            try
            {
                length = Strict.GetByteCount(text);
            }
            catch (EncoderFallbackException)
            {
                throw new ArgumentException("contains half a surrogate pair, which is not a character", name);
            }
            byte* bytes = Allocate(length + 1);
            if (length > 0)
            {
                fixed (char* characters = text)
                {
                    Strict.GetBytes(characters, text.Length, bytes, length);
                }
            }
            bytes[length] = 0;
            return bytes;
        }

        /// <summary>An array for pointers.</summary>
        internal byte** AddPointers(int count)
        {
            return (byte**)Allocate(count * sizeof(byte*));
        }

        public void Dispose()
        {
            while (last != null)
            {
                Block* block = last;
                last = block->Before;
                byte* bytes = (byte*)(block + 1);
                for (int i = 0; i < block->Length; i++)
                {
                    bytes[i] = 0;
                }
                Marshal.FreeHGlobal((IntPtr)block);
            }
        }

        private byte* Allocate(int length)
        {
            Block* block = (Block*)Marshal.AllocHGlobal(sizeof(Block) + length);
            block->Before = last;
            block->Length = length;
            last = block;
            return (byte*)(block + 1);
        }
    }

    /// <summary>Output texts.</summary>
    internal static unsafe class Utf8
    {
        /// <summary>The text up to its NUL, or the whole buffer if there is none.</summary>
        internal static string Decode(byte* text, int capacity)
        {
            int length = 0;
            while (length < capacity && text[length] != 0)
            {
                length++;
            }
            return length == 0 ? string.Empty : Encoding.UTF8.GetString(text, length);
        }
    }
}
